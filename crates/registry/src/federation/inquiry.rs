use crate::Registry;
use artdag_federation::{Barred, DomainRule, FederationMode, Gate, check_host};
use artdag_kernel::StoreError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many requests to other servers one activity, one signed GET, or one job may cause.
const MOST: u32 = 20;
/// What a request weighs beside its body, in KiB.
const HEAD: usize = 4;

/// What this server asks of others on one occasion: how much more, and of whom.
pub(crate) struct Inquiry {
    mode: FederationMode,
    rules: Arc<[DomainRule]>,
    left: AtomicU32,
    /// How much memory is held while it waits for an answer, in KiB.
    weight: AtomicU32,
}

impl Inquiry {
    /// So many bytes are held from now on.
    pub(super) fn hold(&self, bytes: usize) {
        self.weight.store(u32::try_from(bytes.div_ceil(1024) + HEAD).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    pub(super) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }
}

impl Gate for Inquiry {
    fn pass(&self, host: &str) -> Result<(), Barred> {
        check_host(self.mode, &self.rules, host)?;
        let take = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        take.map(drop).map_err(|_| Barred::TooMany)
    }
}

impl Registry {
    /// Begins one for somebody who waits with so many bytes.
    pub(crate) async fn inquiry(&self, held: usize) -> Result<Arc<Inquiry>, StoreError> {
        let (mode, rules) = (self.parts.policy.federation.mode, self.domain_rules().await?);
        let inquiry = Inquiry { mode, rules, left: AtomicU32::new(MOST), weight: AtomicU32::default() };
        inquiry.hold(held);
        Ok(Arc::new(inquiry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_twenty_requests_by() {
        let (mode, rules) = (FederationMode::Open, Arc::from([]));
        let inquiry = Inquiry { mode, rules, left: AtomicU32::new(MOST), weight: AtomicU32::default() };
        assert_eq!((0..30).filter(|_| inquiry.pass("a.example").is_ok()).count(), 20);
        assert_eq!(inquiry.pass("a.example"), Err(Barred::TooMany));
    }
}
