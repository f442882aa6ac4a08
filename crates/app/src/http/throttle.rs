//! Slows down who guesses passwords: per account, whoever tries, and per address, whatever is tried; and who has other
//! people's calendars asked: per member, and per anchor.

use crate::http::client_address::TrustedProxies;
use crate::http::problem::{Kind, Problem};
use actix_web::HttpRequest;
use artdag_anchoring::Digest;
use artdag_kernel::Username;
use governor::clock::{Clock, DefaultClock, QuantaInstant};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

/// Attempts in a row, then one each this many seconds.
const PER_ACCOUNT: (u32, u64) = (10, 10);
/// The same for one address: offices share one.
const PER_ADDRESS: (u32, u64) = (60, 1);
/// How often a member may have calendars asked in a row, and then once in this many seconds.
const PER_MEMBER: (u32, u64) = (60, 5);
/// The same about one anchor, whoever it is.
const PER_ANCHOR: (u32, u64) = (20, 10);
/// How many attempts are remembered before those that no longer count are forgotten.
const TIDY_EVERY: u32 = 1024;

/// Counts attempts, in this process.
#[derive(Debug)]
pub struct Throttle<C: Clock = DefaultClock> {
    accounts: Limiter<String, C>,
    addresses: Limiter<IpAddr, C>,
    proxies: TrustedProxies,
    attempts: AtomicU32,
    clock: C,
}

type Limiter<K, C> = RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

impl Throttle {
    /// Counts from nothing.
    pub fn new(proxies: TrustedProxies) -> Self {
        Self::by(DefaultClock::default(), proxies)
    }
}

impl<C: Clock + Clone> Throttle<C> {
    /// Counts from nothing, by that clock.
    pub fn by(clock: C, proxies: TrustedProxies) -> Self {
        Self {
            accounts: limiter(PER_ACCOUNT, &clock),
            addresses: limiter(PER_ADDRESS, &clock),
            proxies,
            attempts: AtomicU32::new(0),
            clock,
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
            self.addresses.check_key(&block_of(address)).map_err(|wait| self.refused("from your address", &wait))?;
        }
        // No name is longer; a longer text is nobody's and need not be remembered.
        let account: String = account.to_lowercase().chars().take(31).collect();
        self.accounts.check_key(&account).map_err(|wait| self.refused("for this account", &wait))
    }

    fn refused(&self, whose: &str, wait: &NotUntil<C::Instant>) -> Problem {
        let seconds = wait.wait_time_from(self.clock.now()).as_secs() + 1;
        let detail = format!("There were too many attempts {whose}. Try again in {seconds} seconds.");
        Problem::new(Kind::TooMany, detail).retry_after(seconds)
    }
}

fn limiter<K: Clone + Eq + Hash, C: Clock + Clone>(allowed: (u32, u64), clock: &C) -> Limiter<K, C> {
    RateLimiter::dashmap_with_clock(quota(allowed), clock.clone())
}

/// Counts what members have calendars asked, in this process.
#[derive(Debug)]
pub struct CalendarThrottle {
    members: DefaultKeyedRateLimiter<Username>,
    anchors: DefaultKeyedRateLimiter<Digest>,
    questions: AtomicU32,
}

impl Default for CalendarThrottle {
    fn default() -> Self {
        Self {
            members: RateLimiter::keyed(quota(PER_MEMBER)),
            anchors: RateLimiter::keyed(quota(PER_ANCHOR)),
            questions: AtomicU32::new(0),
        }
    }
}

impl CalendarThrottle {
    /// Counts that a member has calendars asked, about an anchor if it is one that is there.
    ///
    /// # Errors
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn admit(&self, member: &Username, anchor: Option<&Digest>) -> Result<(), Problem> {
        if self.questions.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            self.members.retain_recent();
            self.anchors.retain_recent();
        }
        self.members.check_key(member).map_err(|wait| asked_too_often("by you", &wait))?;
        let Some(anchor) = anchor else { return Ok(()) };
        self.anchors.check_key(anchor).map_err(|wait| asked_too_often("about this anchor", &wait))
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

fn asked_too_often(how: &str, wait: &NotUntil<QuantaInstant>) -> Problem {
    let seconds = wait.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
    let detail = format!(
        "Calendars were asked too often {how}. They are asked by themselves, too. Try again in {seconds} seconds."
    );
    Problem::new(Kind::TooMany, detail).retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use governor::clock::FakeRelativeClock;
    use std::net::SocketAddr;
    use std::time::Duration;

    /// The seconds to wait; `None` for who is let in.
    fn attempt(throttle: &Throttle<FakeRelativeClock>, from: IpAddr, account: &str) -> Option<u64> {
        let request = TestRequest::default().peer_addr(SocketAddr::new(from, 1)).to_http_request();
        throttle.admit(&request, account).err().map(|problem| {
            assert_eq!(problem.kind(), Kind::TooMany);
            problem.seconds_to_wait().unwrap()
        })
    }

    #[test]
    fn an_account_is_guessed_ten_times_and_then_every_ten_seconds() {
        let clock = FakeRelativeClock::default();
        let throttle = Throttle::by(clock.clone(), TrustedProxies::default());
        let guess = |n: u8, name: &str| attempt(&throttle, IpAddr::from([192, 0, 2, n]), name);
        let waits: Vec<_> = (0..25).filter_map(|n| guess(n, if n % 2 == 0 { "giles" } else { "GILES" })).collect();
        assert_eq!(waits, [11; 15]);
        clock.advance(Duration::from_secs(9));
        assert_eq!(guess(30, "giles"), Some(2));
        assert_eq!(guess(30, "eve"), None, "others are let in");
        clock.advance(Duration::from_secs(1));
        assert_eq!((guess(30, "giles"), guess(30, "giles")), (None, Some(11)));
    }

    #[test]
    fn an_address_guesses_sixty_times_and_then_every_second() {
        let clock = FakeRelativeClock::default();
        let throttle = Throttle::by(clock.clone(), TrustedProxies::default());
        let guess = |from: [u16; 8], n: usize| attempt(&throttle, IpAddr::from(from), &format!("user{n}"));
        // One who has an address of this kind has all of these.
        let home = |n: usize| [0x2001, 0xdb8, 0, 1, 0, 0, 0, u16::try_from(n).unwrap()];
        assert_eq!((0..80).filter_map(|n| guess(home(n), n)).collect::<Vec<_>>(), [2; 20]);
        assert_eq!(guess([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1], 80), None);
        clock.advance(Duration::from_secs(1));
        assert_eq!((guess(home(1), 81), guess(home(1), 82)), (None, Some(2)));
    }
}
