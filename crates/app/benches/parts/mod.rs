//! What the benchmarks share.

use artdag_database::{DatabaseUrl, testing};
use std::io;
use std::num::NonZero;
use std::thread;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

#[expect(clippy::disallowed_methods, reason = "benchmarks are told their server by the environment, as tests are")]
pub(crate) async fn postgres() -> Option<(DatabaseUrl, testing::TestDatabase)> {
    match std::env::var("TEST_DATABASE_URL") {
        Ok(url) if !url.is_empty() => testing::fresh_postgres().await,
        _ => None,
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

pub(crate) fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default()
}

/// Reads one answer of this status to its end and forgets it.
pub(crate) async fn read_answer(stream: &mut TcpStream, bytes: &mut Vec<u8>, status: &str) -> Result<(), Failure> {
    bytes.clear();
    loop {
        if stream.read_buf(bytes).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = str::from_utf8(&bytes[..end])?;
        if !head.strip_prefix("HTTP/1.1 ").is_some_and(|rest| rest.starts_with(status)) {
            return Err(String::from_utf8_lossy(bytes).into_owned().into());
        }
        let length = match header_of(head, "content-length") {
            Some(length) => length.parse()?,
            None if header_of(head, "transfer-encoding").is_some() => match bytes[end + 4..].ends_with(b"0\r\n\r\n") {
                true => bytes.len() - end - 4,
                false => continue,
            },
            None => 0,
        };
        match bytes.len().cmp(&(end + 4 + length)) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Greater => return Err("more was answered than was asked".into()),
        }
    }
}

fn header_of<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
