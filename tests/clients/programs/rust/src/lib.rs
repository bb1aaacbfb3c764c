// SPDX-License-Identifier: Apache-2.0
//! What the programs in Rust share: where to connect, and lines of `feature: outcome`.

pub fn variable(name: &str) -> String {
    std::env::var(format!("WEIR_TEST_{name}")).unwrap_or_else(|_| panic!("WEIR_TEST_{name} is not set"))
}

pub fn url(user: &str, password: &str) -> String {
    format!("mysql://{user}:{password}@{}:{}/{}", variable("HOST"), variable("PORT"), variable("DATABASE"))
}

pub fn own_url() -> String {
    url(&variable("USER"), &variable("PASSWORD"))
}

pub fn show<T: std::fmt::Debug, E: std::fmt::Display>(feature: &str, what: &str, outcome: Result<T, E>) {
    match outcome {
        Ok(value) => println!("{feature}: {what} {value:?}"),
        Err(error) => println!("{feature}: {what} {error}"),
    }
}

pub const RUNNING: &str = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(30)'";

/// The two drivers have rustls with two providers of cryptography, so that one has to be chosen.
pub fn begin() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().expect("a provider of cryptography");
}
