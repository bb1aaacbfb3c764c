# SPDX-License-Identifier: Apache-2.0
# Ruby's mysql2: logins, TLS, text, prepared, several results, local files, cancel, reconnect, ping.
require 'mysql2'

def variable(name) = ENV.fetch("WEIR_TEST_#{name}")

def connect(options = {})
  Mysql2::Client.new({ host: variable('HOST'), port: variable('PORT').to_i, username: variable('USER'), password: variable('PASSWORD'),
                       database: variable('DATABASE'), encoding: 'utf8mb4', local_infile: true,
                       flags: Mysql2::Client::MULTI_STATEMENTS }.merge(options))
end

def plain(value)
  case value
  when Array then value.map { |entry| plain(entry) }
  when String then value.length < 300 ? value : "#{value.length} characters"
  when BigDecimal then value.to_s('F')
  when Time, Date then value.to_s
  else value
  end
end

def show(feature, *outcome) = puts("#{feature}: #{outcome.map { |entry| plain(entry).inspect }.join(' ')}")

def attempt(feature, what)
  show(feature, what, yield)
rescue Mysql2::Error => error
  show(feature, what, error.class.name, error.error_number, error.sql_state, error.message)
rescue StandardError => error
  show(feature, what, error.class.name, error.message)
end

def fetch(client, sql)
  result = client.query(sql, as: :array)
  result ? result.to_a : [client.affected_rows, client.last_id]
end

def who(options = {}) = fetch(connect(options), 'SELECT USER(), CURRENT_USER(), DATABASE()')

def idle(watcher, options = {})
  client = connect(options)
  fetch(client, 'SET SESSION wait_timeout = 1')
  fetch(client, "SELECT GET_LOCK('idle', 0)")
  fetch(watcher, "SELECT GET_LOCK('idle', 60)")
  fetch(watcher, "SELECT RELEASE_LOCK('idle')")
  sleep 0.3
  client
end

$stdout.sync = true
attempt('login', 'native') { who }
attempt('login', 'no password') { who(username: 'nopassword', password: '') }
attempt('login', 'ed25519') { who(username: 'ed', password: 'ed-secret') }
attempt('login', 'wrong password') { who(password: 'wrong') }
attempt('tls', 'verified') { who(sslca: variable('CA'), sslverify: true) }

client = connect
fetch(client, 'CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), n DECIMAL(20,5), d DATETIME, b LONGBLOB)')
attempt('text', 'insert') { fetch(client, "INSERT INTO t (t, n, d) VALUES ('Grüße 🌍', 12345.678, '2024-02-29 12:34:56'), (NULL, NULL, NULL)") }
attempt('text', 'rows') { fetch(client, 'SELECT * FROM t') }
attempt('text', 'streamed') { client.query('SELECT seq FROM seq_1_to_5000', stream: true, cache_rows: false, as: :array).sum(&:first) }
insert = client.prepare('INSERT INTO t (t, n, b) VALUES (?, ?, ?)')
3.times { |i| attempt('prepared', 'insert') { insert.execute(i == 1 ? nil : 'ä', i, 'x' * (i * 100_000)); insert.last_id } }
select = client.prepare('SELECT id, t, n, LENGTH(b) FROM t WHERE id > ?')
3.times { |i| attempt('prepared', 'select') { select.execute(i, as: :array).to_a } }
attempt('prepared', 'an error') { client.prepare('SELECT ? FROM nowhere') }
attempt('bulk', 'insert') { fetch(client, "INSERT INTO t (t, n) VALUES #{Array.new(5000) { |i| "('row #{i}', #{i})" }.join(',')}") }
attempt('bulk', 'rows') { fetch(client, 'SELECT COUNT(*), SUM(n), MAX(t) FROM t') }
fetch(client, 'CREATE PROCEDURE p(a INT) BEGIN SELECT a; SELECT a + 1; END')
['SELECT 1; UPDATE t SET n = 1 WHERE id < 3; SELECT 2, 3', 'CALL p(5)', 'SELECT 1; SELEC; SELECT 3'].each do |sql|
  attempt('multi', sql) do
    seen = [fetch(client, sql)]
    while client.next_result
      result = client.store_result
      seen << (result ? result.to_a : client.affected_rows)
    end
    seen
  end
  client.abandon_results!
end
fetch(client, 'CREATE TABLE loaded (a INT, b VARCHAR(20))')
attempt('infile', 'loaded') { fetch(client, "LOAD DATA LOCAL INFILE '#{variable('FILE')}' INTO TABLE loaded") }
attempt('infile', 'no such file') { fetch(client, "LOAD DATA LOCAL INFILE '/no/such/file' INTO TABLE loaded") }
['SELEC 1', 'SELECT * FROM nowhere', 'INSERT INTO t (id) VALUES (1)', 'SELECT 1'].each { |sql| attempt('errors', sql) { fetch(client, sql) } }
attempt('large', 'sent') { fetch(client, "SELECT LENGTH('#{'x' * 17_000_000}')") }
attempt('large', 'read') { fetch(client, "SELECT REPEAT('y', 17000000)")[0][0].length }

watcher = connect
["the driver's id", 'CONNECTION_ID()'].each do |which|
  victim = connect
  id = which == 'CONNECTION_ID()' ? fetch(victim, 'SELECT CONNECTION_ID()')[0][0] : victim.thread_id
  start = Time.now
  sleeping = Thread.new { attempt('cancel', which) { fetch(victim, 'SELECT SLEEP(30)') } }
  Thread.pass while fetch(watcher, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(30)'")[0][0].zero?
  killed = begin
    watcher.query("KILL QUERY #{id}") || 'done'
  rescue Mysql2::Error => error
    error.message
  end
  sleeping.join
  show('cancel', "#{which} KILL", killed, Time.now - start < 20)
  attempt('cancel', 'and then') { fetch(victim, 'SELECT 1') }
end
gone = idle(watcher)
attempt('reconnect', 'a statement') { fetch(gone, 'SELECT 1') }
attempt('reconnect', 'another') { fetch(gone, 'SELECT 1') }
again = idle(watcher, reconnect: true)
attempt('reconnect', 'reconnect: true') { fetch(again, 'SELECT 1') }
pinged = idle(watcher)
attempt('pool', 'ping') { pinged.ping }
attempt('pool', 'ping of a living one') { watcher.ping }
