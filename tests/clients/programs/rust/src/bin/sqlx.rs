// SPDX-License-Identifier: Apache-2.0
//! sqlx: logins, TLS, text and prepared statements, a batch, multi-statements, cancel, and an idle pool with its check.
use futures::TryStreamExt;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions, MySqlSslMode};
use sqlx::{Connection, Either, Error, Executor, Row};
use weir_test_clients::{begin, show, variable, RUNNING};

fn options(user: &str, password: &str) -> MySqlConnectOptions {
    MySqlConnectOptions::new().host(&variable("HOST")).port(variable("PORT").parse().unwrap()).username(user).password(password)
        .database(&variable("DATABASE")).ssl_mode(MySqlSslMode::Disabled)
}

fn own() -> MySqlConnectOptions {
    options(&variable("USER"), &variable("PASSWORD"))
}

async fn who(options: MySqlConnectOptions) -> Result<(String, String), Error> {
    let mut connection = MySqlConnection::connect_with(&options).await?;
    let answer = sqlx::query_as("SELECT CURRENT_USER(), DATABASE()").fetch_one(&mut connection).await;
    connection.close().await?;
    answer
}

async fn one(connection: &mut MySqlConnection) -> Result<i32, Error> {
    sqlx::query_scalar("SELECT 1").fetch_one(connection).await
}

async fn idle(connection: &mut MySqlConnection, watcher: &mut MySqlConnection) -> Result<(), Error> {
    connection.execute("SET SESSION wait_timeout = 1").await?;
    connection.execute("DO GET_LOCK('idle', 0)").await?;
    watcher.execute("DO GET_LOCK('idle', 60)").await?;
    watcher.execute("DO RELEASE_LOCK('idle')").await?;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    begin();
    show("login", "native", who(own()).await);
    show("login", "no password", who(options("nopassword", "")).await);
    show("login", "ed25519", who(options("ed", "ed-secret")).await);
    show("login", "wrong password", who(options(&variable("USER"), "wrong")).await);
    show("tls", "verified", who(own().ssl_mode(MySqlSslMode::VerifyCa).ssl_ca(variable("CA"))).await);

    let mut main = MySqlConnection::connect_with(&own()).await?;
    main.execute("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), f DOUBLE, b BLOB)").await?;
    let done = main.execute("INSERT INTO t (t, f) VALUES ('Grüße 🌍', 1.5), (NULL, NULL)").await?;
    println!("text: {} {}", done.rows_affected(), done.last_insert_id());
    let rows = sqlx::raw_sql("SELECT * FROM t").fetch_all(&mut main).await?;
    println!("text: {:?}", rows.iter().map(|row| (row.get::<i32, _>(0), row.get::<Option<String>, _>(1), row.get::<Option<f64>, _>(2))).collect::<Vec<_>>());
    for i in 0..3 {
        show("prepared", "rows", sqlx::query_as::<_, (i32, Option<String>)>("SELECT id, t FROM t WHERE id > ?").bind(i).fetch_all(&mut main).await);
    }
    show("prepared", "an error", sqlx::query("SELECT ? FROM nowhere").bind(1).execute(&mut main).await.map(|_| ()));
    let mut batch = sqlx::QueryBuilder::<sqlx::MySql>::new("INSERT INTO t (t, b) ");
    batch.push_values(0..5000, |mut row, i| {
        row.push_bind(format!("row {i}")).push_bind(vec![i as u8; 10]);
    });
    show("bulk", "rows", batch.build().execute(&mut main).await.map(|done| done.rows_affected()));
    for text in ["SELECT 1; SELECT 2; DO 0; SELECT 3", "SELECT 1; SELEC; SELECT 3"] {
        let all: Result<Vec<_>, _> = sqlx::raw_sql(text).fetch_many(&mut main).map_ok(|either| match either {
            Either::Left(done) => format!("done {}", done.rows_affected()),
            Either::Right(row) => format!("row {}", row.get::<i32, _>(0)),
        }).try_collect().await;
        show("multi", text, all);
    }
    show("errors", "syntax", main.execute("SELEC 1").await.map(|_| ()));
    show("errors", "and then", one(&mut main).await);
    show("large", "sent", sqlx::query_scalar::<_, i64>("SELECT LENGTH(?)").bind("x".repeat(17_000_000)).fetch_one(&mut main).await);
    show("large", "read", sqlx::query_scalar::<_, String>("SELECT REPEAT('y', 17000000)").fetch_one(&mut main).await.map(|text| text.len()));

    let mut other = MySqlConnection::connect_with(&own()).await?;
    let victim: u64 = sqlx::query_scalar("SELECT CAST(CONNECTION_ID() AS UNSIGNED)").fetch_one(&mut other).await?;
    let (slept, killed) = tokio::join!(sqlx::raw_sql("SELECT SLEEP(30)").fetch_one(&mut other), async {
        while sqlx::query_scalar::<_, i64>(RUNNING).fetch_one(&mut main).await? == 0 {}
        main.execute(format!("KILL QUERY {victim}").as_str()).await
    });
    show("cancel", "CONNECTION_ID()", slept.map(|row| row.get::<i32, _>(0)));
    show("cancel", "KILL", killed.map(|_| ()));
    show("cancel", "and then", one(&mut other).await);

    idle(&mut other, &mut main).await?;
    show("reconnect", "a statement", one(&mut other).await);
    show("reconnect", "another", one(&mut other).await);
    let mut other = MySqlConnection::connect_with(&own()).await?;
    idle(&mut other, &mut main).await?;
    show("pool", "ping", other.ping().await);
    for check in [true, false] {
        let pool = MySqlPoolOptions::new().max_connections(1).test_before_acquire(check).connect_with(own()).await?;
        let mut pooled = pool.acquire().await?;
        idle(&mut pooled, &mut main).await?;
        drop(pooled);
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        for _ in 0..2 {
            show("pool", if check { "with its check" } else { "without" }, sqlx::query_scalar::<_, i32>("SELECT 1").fetch_one(&pool).await);
        }
        pool.close().await;
    }
    Ok(())
}
