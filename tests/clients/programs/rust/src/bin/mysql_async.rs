// SPDX-License-Identifier: Apache-2.0
//! mysql_async: logins, TLS, text and prepared statements, multi-statements, a local file, cancel, and an idle pool.
use futures::{stream, FutureExt, StreamExt};
use mysql_async::{prelude::*, Conn, Error, Opts, OptsBuilder, Pool, SslOpts, Value};
use weir_test_clients::{begin, own_url, show, url, variable, RUNNING};

async fn who(options: OptsBuilder) -> Result<Option<(String, String)>, Error> {
    let mut connection = Conn::new(options).await?;
    let answer = connection.query_first("SELECT CURRENT_USER(), DATABASE()").await;
    connection.disconnect().await?;
    answer
}

fn builder(address: &str) -> OptsBuilder {
    OptsBuilder::from_opts(Opts::from_url(address).unwrap()).prefer_socket(false)
}

async fn idle(connection: &mut Conn, watcher: &mut Conn) -> Result<(), Error> {
    connection.query_drop("SET SESSION wait_timeout = 1").await?;
    connection.query_drop("DO GET_LOCK('idle', 0)").await?;
    watcher.query_drop("DO GET_LOCK('idle', 60)").await?;
    watcher.query_drop("DO RELEASE_LOCK('idle')").await?;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    begin();
    let own = own_url();
    show("login", "native", who(builder(&own)).await);
    show("login", "no password", who(builder(&url("nopassword", ""))).await);
    show("login", "ed25519", who(builder(&url("ed", "ed-secret"))).await);
    show("login", "wrong password", who(builder(&url(&variable("USER"), "wrong"))).await);
    let tls = SslOpts::default().with_root_certs(vec![std::path::PathBuf::from(variable("CA")).into()]).with_danger_skip_domain_validation(true);
    show("tls", "verified", who(builder(&own).ssl_opts(tls)).await);

    let mut main = Conn::new(builder(&own)).await?;
    main.query_drop("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), n DECIMAL(10,3), b BLOB, d DATETIME(3))").await?;
    main.query_drop("INSERT INTO t (t, n, d) VALUES ('Grüße 🌍', 1.5, '2024-02-29 12:34:56.789'), (NULL, NULL, NULL)").await?;
    println!("text: {:?} {:?} {}", main.affected_rows(), main.last_insert_id(), main.info());
    show("text", "rows", main.query::<mysql_async::Row, _>("SELECT * FROM t").await.map(|rows| rows.into_iter().map(|row| row.unwrap()).collect::<Vec<Vec<Value>>>()));
    for i in 0..3 {
        show("prepared", "rows", main.exec::<(i32, Option<String>), _, _>("SELECT id, t FROM t WHERE id > ? ORDER BY id", (i,)).await);
    }
    show("prepared", "an error", main.exec_drop("SELECT ? FROM nowhere", (1,)).await);
    show("bulk", "rows", main.exec_batch("INSERT INTO t (t, b) VALUES (?, ?)", (0..500).map(|i| (format!("row {i}"), vec![i as u8; 10]))).await);
    show("bulk", "rows", main.query_first::<(i64, String), _>("SELECT COUNT(*), MAX(t) FROM t").await);
    main.query_drop("CREATE PROCEDURE p(a INT) BEGIN SELECT a; SELECT a + 1; END").await?;
    for text in ["SELECT 1; SELECT 2; DO 0; SELECT 3", "CALL p(5)"] {
        let mut results = main.query_iter(text).await?;
        while !results.is_empty() {
            let rows: Result<Vec<(i64,)>, _> = results.collect().await;
            let failed = rows.is_err();
            show("multi", text, rows);
            if failed {
                break;
            }
        }
        drop(results);
    }
    main.query_drop("CREATE TABLE loaded (a INT, b VARCHAR(20))").await?;
    let file = std::fs::read(variable("FILE"))?;
    main.set_infile_handler(async move { Ok::<_, Error>(stream::iter([Ok(file.into())]).boxed()) });
    show("infile", "loaded", main.query_drop("LOAD DATA LOCAL INFILE 'a' INTO TABLE loaded").await);
    show("infile", "rows", main.query_first::<(i64, i64), _>("SELECT COUNT(*), SUM(a) FROM loaded").await);
    show("infile", "no handler", main.query_drop("LOAD DATA LOCAL INFILE 'a' INTO TABLE loaded").await);

    // It has closed the connection then.
    let mut main = Conn::new(builder(&own)).await?;
    show("errors", "syntax", main.query_drop("SELEC 1").await);
    show("errors", "and then", main.query_first::<i32, _>("SELECT 1").await);
    show("large", "sent", main.exec_first::<i64, _, _>("SELECT LENGTH(?)", ("x".repeat(17_000_000),)).await);
    show("large", "read", main.query_first::<String, _>("SELECT REPEAT('y', 17000000)").await.map(|text| text.map(|text| text.len())));

    let mut other = Conn::new(builder(&own)).await?;
    let victim = other.id();
    let (slept, killed) = tokio::join!(other.query_first::<i32, _>("SELECT SLEEP(30)"), async {
        while main.query_first::<i32, _>(RUNNING).await? == Some(0) {}
        main.query_drop(format!("KILL QUERY {victim}")).await
    });
    show("cancel", "the driver's id", slept);
    show("cancel", "KILL", killed);
    show("cancel", "and then", other.query_first::<i32, _>("SELECT 1").await);
    show("ids", "agree", other.query_first::<u32, _>("SELECT CONNECTION_ID()").await.map(|id| id == Some(victim)));

    idle(&mut other, &mut main).await?;
    show("reconnect", "a statement", other.query_first::<i32, _>("SELECT 1").await);
    show("reconnect", "another", other.query_first::<i32, _>("SELECT 1").await);
    let mut other = Conn::new(builder(&own)).await?;
    idle(&mut other, &mut main).await?;
    show("pool", "ping", other.ping().await);

    let pool = Pool::new(builder(&own));
    let mut pooled = pool.get_conn().await?;
    idle(&mut pooled, &mut main).await?;
    drop(pooled);
    for _ in 0..3 {
        let taken = pool.get_conn().then(|taken| async { taken?.query_first::<i32, _>("SELECT 1").await }).await;
        show("pool", "taken again", taken);
    }
    pool.disconnect().await
}
