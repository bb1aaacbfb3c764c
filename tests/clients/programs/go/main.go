// SPDX-License-Identifier: Apache-2.0

// go-sql-driver by way of database/sql: logins, TLS, text, prepared and interpolated statements, multi-statements, local files,
// cancel by a context, sessions that the server has ended, and the pool.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

func variable(name string) string { return os.Getenv("WEIR_TEST_" + name) }

func config(user, password string) *mysql.Config {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.DBName = user, password, "tcp", variable("DATABASE")
	c.Addr = variable("HOST") + ":" + variable("PORT")
	c.MultiStatements, c.AllowNativePasswords = true, true
	return c
}

func own() *mysql.Config { return config(variable("USER"), variable("PASSWORD")) }

type silent struct{}

func (silent) Print(...interface{}) {}

func open(c *mysql.Config) *sql.DB {
	connector, err := mysql.NewConnector(c)
	if err != nil {
		panic(err)
	}
	return sql.OpenDB(connector)
}

func show(feature, what string, err error, outcome ...interface{}) {
	if err != nil {
		outcome = []interface{}{err}
	}
	fmt.Println(strings.TrimSpace(fmt.Sprintf("%s: %s %s", feature, what, fmt.Sprintln(outcome...))))
}

func who(feature, what string, c *mysql.Config) {
	db := open(c)
	defer db.Close()
	var user, database string
	err := db.QueryRow("SELECT CURRENT_USER(), DATABASE()").Scan(&user, &database)
	show(feature, what, err, user, database)
}

type querier interface {
	QueryContext(context.Context, string, ...interface{}) (*sql.Rows, error)
}

// All rows of all results, as one text.
func rows(q querier, text string, arguments ...interface{}) (string, error) {
	found, err := q.QueryContext(context.Background(), text, arguments...)
	if err != nil {
		return "", err
	}
	defer found.Close()
	said := ""
	for {
		columns, _ := found.Columns()
		values, places := make([]sql.NullString, len(columns)), make([]interface{}, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		for found.Next() {
			if err := found.Scan(places...); err != nil {
				return said, err
			}
			for _, value := range values {
				said += fmt.Sprintf("%.80q|", value.String)
			}
		}
		said += ";"
		if !found.NextResultSet() {
			return said, found.Err()
		}
	}
}

func query(feature string, q querier, text string, arguments ...interface{}) {
	said, err := rows(q, text, arguments...)
	if len(text) > 60 {
		text = text[:60]
	}
	show(feature, text, err, said)
}

func statements(db *sql.DB) {
	ctx := context.Background()
	db.ExecContext(ctx, "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), n DECIMAL(20,5), f DOUBLE, d DATETIME(3), b BLOB)")
	moment := time.Date(2024, 2, 29, 12, 34, 56, 789000000, time.UTC)
	insert := "INSERT INTO t (t, n, f, d, b) VALUES (?, ?, ?, ?, ?)"
	done, err := db.Exec(insert, "Grüße 🌍", "12345.678", 1.5, moment, []byte{0, 255})
	id, _ := done.LastInsertId()
	count, _ := done.RowsAffected()
	show("prepared", "insert", err, id, count)
	query("text", db, "SELECT * FROM t")
	statement, err := db.Prepare(insert)
	show("prepared", "prepare", err)
	for i := 0; i < 3; i++ {
		_, err = statement.Exec(nil, i, nil, moment, []byte("x"))
		show("prepared", "again", err)
	}
	statement.Close()
	query("prepared", db, "SELECT * FROM t WHERE id > ?", 1)
	_, err = db.Prepare("SELEC ?")
	show("prepared", "an error", err)
	interpolated := own()
	interpolated.InterpolateParams = true
	other := open(interpolated)
	query("text", other, "SELECT ?, ?, ?", "it's", 5, moment)
	other.Close()
	values := strings.TrimSuffix(strings.Repeat("(?, ?),", 10000), ",")
	arguments := []interface{}{}
	for i := 0; i < 10000; i++ {
		arguments = append(arguments, fmt.Sprint("row ", i), i)
	}
	_, err = db.Exec("INSERT INTO t (t, n) VALUES "+values, arguments...)
	show("bulk", "insert", err)
	query("bulk", db, "SELECT COUNT(*), SUM(n), MAX(t) FROM t")
	tx, _ := db.Begin()
	tx.Exec("DELETE FROM t")
	show("text", "rollback", tx.Rollback())
	query("text", db, "SELECT COUNT(*) FROM t")
}

func results(db *sql.DB) {
	query("multi", db, "SELECT 1; SELECT 2, 3; SELECT 'ä'")
	// Version 1.5 waits for more results after the error: its wait has a limit, and it has a connection of its own.
	limited := own()
	limited.ReadTimeout = 10 * time.Second
	other := open(limited)
	query("multi", other, "SELECT 1; SELEC; SELECT 3")
	other.Close()
	db.Exec("CREATE PROCEDURE p(a INT) BEGIN SELECT a; SELECT a + 1; END")
	query("multi", db, "CALL p(5)")
	query("multi", db, "CALL p(?)", 6)
	mysql.RegisterLocalFile(variable("FILE"))
	db.Exec("CREATE TABLE loaded (a INT, b VARCHAR(20))")
	done, err := db.Exec("LOAD DATA LOCAL INFILE '" + variable("FILE") + "' INTO TABLE loaded")
	show("infile", "loaded", err)
	if err == nil {
		count, _ := done.RowsAffected()
		show("infile", "rows", nil, count)
	}
	_, err = db.Exec("LOAD DATA LOCAL INFILE '/not/registered' INTO TABLE loaded")
	show("infile", "not registered", err)
	// Older versions leave a connection in the middle of a reply there.
	db = open(own())
	query("errors", db, "SELEC 1")
	query("errors", db, "INSERT INTO t (id) VALUES (1)")
	query("errors", db, "SELECT 1")
	var length int
	err = db.QueryRow("SELECT LENGTH(?)", strings.Repeat("x", 17000000)).Scan(&length)
	show("large", "sent", err, length)
	var text string
	err = db.QueryRow("SELECT REPEAT('y', 17000000)").Scan(&text)
	show("large", "read", err, len(text))
}

func running(db *sql.DB) bool {
	said, _ := rows(db, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(30)'")
	return said != `"0"|;`
}

func cancel(db *sql.DB) {
	// The driver only closes the connection; the server is not told.
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		for !running(db) {
		}
		stop()
	}()
	start := time.Now()
	_, err := db.QueryContext(ctx, "SELECT SLEEP(30)")
	show("cancel", "context", err, time.Since(start) < 20*time.Second, errors.Is(err, context.Canceled))
	query("cancel", db, "SELECT 1")
	for running(db) {
	}
	show("cancel", "the server notices", nil, time.Since(start) < 20*time.Second)
	connection, _ := db.Conn(context.Background())
	var id uint64
	connection.QueryRowContext(context.Background(), "SELECT CONNECTION_ID()").Scan(&id)
	go func() {
		for !running(db) {
		}
		db.Exec(fmt.Sprint("KILL QUERY ", id))
	}()
	query("cancel", connection, "SELECT SLEEP(30)")
	query("cancel", connection, "SELECT 1")
	connection.Close()
}

func idle(watcher *sql.DB, q querier) {
	rows(q, "SET SESSION wait_timeout = 1")
	rows(q, "SELECT GET_LOCK('idle', 0)")
	session, _ := watcher.Conn(context.Background())
	rows(session, "SELECT GET_LOCK('idle', 60)")
	rows(session, "SELECT RELEASE_LOCK('idle')")
	session.Close()
	time.Sleep(300 * time.Millisecond)
}

func lost(watcher *sql.DB) {
	db := open(own())
	connection, _ := db.Conn(context.Background())
	idle(watcher, connection)
	query("reconnect", connection, "SELECT 1")
	query("reconnect", connection, "SELECT 1")
	connection.Close()
	pool := open(own())
	pool.SetMaxOpenConns(1)
	idle(watcher, pool)
	show("pool", "ping", pool.Ping())
	idle(watcher, pool)
	query("pool", pool, "SELECT 1")
	idle(watcher, pool)
	_, err := pool.Exec("DO 1")
	show("pool", "Exec", err)
	query("pool", pool, "SELECT 1")
}

func main() {
	mysql.SetLogger(silent{})
	pool := x509.NewCertPool()
	authority, _ := os.ReadFile(variable("CA"))
	pool.AppendCertsFromPEM(authority)
	mysql.RegisterTLSConfig("verified", &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	who("login", "native", own())
	who("login", "no password", config("nopassword", ""))
	who("login", "ed25519", config("ed", "ed-secret"))
	who("login", "wrong password", config(variable("USER"), "wrong"))
	verified := own()
	verified.TLSConfig = "verified"
	who("tls", "verified", verified)
	verified = config("ed", "ed-secret")
	verified.TLSConfig = "verified"
	who("tls", "ed25519", verified)
	db := open(own())
	statements(db)
	results(db)
	cancel(db)
	lost(db)
}
