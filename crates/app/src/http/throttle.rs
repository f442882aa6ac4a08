//! Slows down who guesses passwords: per account, whoever tries, and per address, whatever is tried.

use crate::http::client_address::TrustedProxies;
use crate::http::problem::{Kind, Problem};
use actix_web::HttpRequest;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

/// Attempts in a row, then one each this many seconds.
const PER_ACCOUNT: (u32, u64) = (10, 10);
/// The same for one address: offices share one.
const PER_ADDRESS: (u32, u64) = (60, 1);
/// How many attempts are remembered before those that no longer count are forgotten.
const TIDY_EVERY: u32 = 1024;

/// Counts attempts, in this process.
#[derive(Debug)]
pub struct Throttle {
    accounts: DefaultKeyedRateLimiter<String>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    proxies: TrustedProxies,
    attempts: AtomicU32,
}

impl Throttle {
    /// Counts from nothing.
    pub fn new(proxies: TrustedProxies) -> Self {
        Self {
            accounts: RateLimiter::keyed(quota(PER_ACCOUNT)),
            addresses: RateLimiter::keyed(quota(PER_ADDRESS)),
            proxies,
            attempts: AtomicU32::new(0),
        }
    }

    /// Counts an attempt to log in to this account.
    ///
    /// # Errors
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn admit(&self, request: &HttpRequest, account: &str) -> Result<(), Problem> {
        if self.attempts.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            self.accounts.retain_recent();
            self.addresses.retain_recent();
        }
        if let Some(address) = self.proxies.client_of(request) {
            self.addresses.check_key(&block_of(address)).map_err(|wait| refused("from your address", &wait))?;
        }
        // No name is longer; a longer text is nobody's and need not be remembered.
        let account: String = account.to_lowercase().chars().take(31).collect();
        self.accounts.check_key(&account).map_err(|wait| refused("for this account", &wait))
    }
}

fn quota((burst, seconds): (u32, u64)) -> Quota {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let period = std::time::Duration::from_secs(seconds);
    Quota::with_period(period).unwrap_or(Quota::per_second(burst)).allow_burst(burst)
}

/// Whoever has one IPv6 address has a whole /64.
fn block_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

fn refused(whose: &str, wait: &governor::NotUntil<governor::clock::QuantaInstant>) -> Problem {
    let seconds = wait.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
    let detail = format!("There were too many attempts {whose}. Try again in {seconds} seconds.");
    Problem::new(Kind::TooMany, detail).retry_after(seconds)
}
