#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# DBD::MariaDB, or DBD::mysql: dbd_mariadb.pl MariaDB|mysql. Logins, TLS, prepared on either side, several results, ping, auto reconnect.
use strict;
use warnings;
use utf8;
use DBI;
use Time::HiRes 'usleep';
binmode STDOUT, ':utf8';
$| = 1;

my $driver = shift;
my $prefix = lc $driver;
my ($host, $port, $user, $password, $database, $ca, $file) = map { $ENV{"WEIR_TEST_$_"} } qw(HOST PORT USER PASSWORD DATABASE CA FILE);

sub open_as {
    my ($user, $password, $options, $attributes) = @_;
    my $where = "DBI:$driver:database=$database;host=$host;port=$port;${prefix}_local_infile=1;" . ($options // '');
    my $connection = DBI->connect($where, $user, $password,
        { RaiseError => 1, PrintError => 0, $driver eq 'mysql' ? (mysql_enable_utf8mb4 => 1) : (), %{ $attributes // {} } });
    return $connection;
}

sub own { return open_as($user, $password, @_) }

sub plain {
    my $value = shift;
    return '[' . join(', ', map { plain($_) } @$value) . ']' if ref $value;
    return 'NULL' unless defined $value;
    return length($value) < 300 ? $value : length($value) . ' characters';
}

sub show { my ($feature, @outcome) = @_; print "$feature: ", join(' ', map { plain($_) } @outcome), "\n" }

sub attempt {
    my ($feature, $what, $call) = @_;
    my $said = eval { $call->() };
    return show($feature, $what, $said) unless $@;
    (my $text = $@) =~ s/ at \S+ line.*//s;
    show($feature, $what, $DBI::err // '-', $DBI::state // '-', $text);
}

sub fetch { my ($connection, @rest) = @_; return $connection->selectall_arrayref(@rest) }

sub who { my $c = open_as(@_); return fetch($c, 'SELECT USER(), CURRENT_USER(), DATABASE()') }

sub prepared {
    my ($how, $server) = @_;
    my $c = own('', { "${prefix}_server_prepare" => $server });
    $c->do('CREATE OR REPLACE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), n DECIMAL(20,5), b LONGBLOB)');
    my $insert = $c->prepare('INSERT INTO t (t, n, b) VALUES (?, ?, ?)');
    for my $i (0 .. 2) {
        attempt('prepared', $how, sub { $insert->execute($i == 1 ? undef : 'Grüße', '12345.678', 'x' x ($i * 100000)) });
        show('prepared', $how, $c->last_insert_id(undef, undef, undef, undef));
    }
    my $select = $c->prepare('SELECT id, t, n, LENGTH(b) FROM t WHERE id > ?');
    attempt('prepared', $how, sub { $select->execute($_); $select->fetchall_arrayref }) for 0, 1;
    attempt('prepared', "$how, an error", sub { $c->prepare('SELECT ? FROM nowhere')->execute(1) });
    my $many = $c->prepare('INSERT INTO t (t, n) VALUES (?, ?)');
    attempt('bulk', $how, sub { $many->execute_array({}, [map { "row $_" } 1 .. 1000], [1 .. 1000]) });
    attempt('bulk', $how, sub { fetch($c, 'SELECT COUNT(*), SUM(n), MAX(t) FROM t') });
}

sub results {
    my $c = own("${prefix}_multi_statements=1");
    attempt('text', 'types', sub { fetch($c, "SELECT 1, -2.50, 'ä', NULL, DATE'2024-02-29', 1e10") });
    attempt('text', 'update', sub { $c->do("UPDATE t SET t = 'y' WHERE id < 3") });
    $c->do('CREATE PROCEDURE p(a INT) BEGIN SELECT a; SELECT a + 1; END');
    for my $text ('CALL p(5)', 'SELECT 1; SELECT 2, 3', 'SELECT 1; SELEC') {
        my $statement;
        attempt('multi', $text, sub { $statement = $c->prepare($text); $statement->execute; $statement->fetchall_arrayref });
        attempt('multi', $text, sub { $statement->more_results ? $statement->fetchall_arrayref : 'no more' });
    }
    $c->do('CREATE TABLE loaded (a INT, b VARCHAR(20))');
    attempt('infile', 'loaded', sub { $c->do("LOAD DATA LOCAL INFILE '$file' INTO TABLE loaded") });
    attempt('infile', 'no such file', sub { $c->do("LOAD DATA LOCAL INFILE '/no/such/file' INTO TABLE loaded") });
    for my $text ('SELEC 1', 'SELECT * FROM nowhere', 'INSERT INTO t (id) VALUES (1)', 'SELECT 1') {
        attempt('errors', $text, sub { fetch($c, $text) });
    }
    attempt('large', 'sent', sub { fetch($c, "SELECT LENGTH('" . 'x' x 17000000 . "')") });
    attempt('large', 'read', sub { length fetch($c, "SELECT REPEAT('y', 17000000)")->[0][0] });
}

# An asynchronous query, cancelled by another session.
sub cancel {
    my $watcher = shift;
    for my $which ("the driver's id", 'CONNECTION_ID()') {
        my $c = own();
        my $id = $which eq 'CONNECTION_ID()' ? fetch($c, 'SELECT CONNECTION_ID()')->[0][0] : $c->{"${prefix}_thread_id"} // $c->{"${prefix}_thread_id"};
        my $sleeping = $c->prepare('SELECT SLEEP(30)', { "${prefix}_async" => 1 });
        my $start = time;
        $sleeping->execute;
        1 until fetch($watcher, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(30)'")->[0][0];
        attempt('cancel', "$which KILL", sub { $watcher->do("KILL QUERY $id") });
        my $result = "${prefix}_async_result";
        attempt('cancel', $which, sub { $sleeping->$result; $sleeping->fetchall_arrayref });
        show('cancel', 'soon', time - $start < 20 ? 1 : 0);
        attempt('cancel', 'and then', sub { fetch($c, 'SELECT 1') });
    }
}

sub idle {
    my ($watcher, @options) = @_;
    my $c = own(@options);
    $c->do('SET SESSION wait_timeout = 1');
    fetch($c, q{SELECT GET_LOCK('idle', 0)});
    fetch($watcher, q{SELECT GET_LOCK('idle', 60)});
    fetch($watcher, q{SELECT RELEASE_LOCK('idle')});
    usleep 300000;
    return $c;
}

attempt('login', 'native', sub { who($user, $password) });
attempt('login', 'no password', sub { who('nopassword', '') });
attempt('login', 'ed25519', sub { who('ed', 'ed-secret') });
attempt('login', 'wrong password', sub { who($user, 'wrong') });
attempt('tls', 'verified', sub { who($user, $password, "${prefix}_ssl=1;${prefix}_ssl_ca_file=$ca") });
prepared('by the client', 0);
prepared('by the server', 1);
results();
my $watcher = own();
# DBD::mysql of Debian waits for the reply of an asynchronous query, too.
cancel($watcher) if $driver eq 'MariaDB';
my $gone = idle($watcher);
attempt('reconnect', 'a statement', sub { fetch($gone, 'SELECT 1') });
attempt('reconnect', 'another', sub { fetch($gone, 'SELECT 1') });
my $again = idle($watcher, '', { "${prefix}_auto_reconnect" => 1 });
attempt('reconnect', 'auto_reconnect', sub { fetch($again, 'SELECT 1') });
my $pinged = idle($watcher);
attempt('pool', 'ping', sub { $pinged->ping ? 'alive' : 'gone' });
attempt('pool', 'ping of a living one', sub { $watcher->ping ? 'alive' : 'gone' });
