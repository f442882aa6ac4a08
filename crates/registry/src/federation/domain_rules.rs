use crate::Registry;
use artdag_federation::{DomainAction, DomainPattern, DomainRule, Shunned, check_host};
use artdag_kernel::{Instant, StoreError};
use chrono::TimeDelta;
use std::sync::{Arc, Mutex, PoisonError};

/// How long another process may go on after the operator changed a rule.
const MAX_AGE: TimeDelta = TimeDelta::seconds(5);

/// How many hosts are looked at together.
const HOSTS: u16 = 1000;

#[derive(Debug, Default)]
pub(crate) struct CachedRules(Mutex<Option<(Instant, Arc<[DomainRule]>)>>);

/// Why a host is not spoken to, or nobody can say.
#[derive(Debug, thiserror::Error)]
pub enum HostRefused {
    /// The operator's will.
    #[error(transparent)]
    Shunned(#[from] Shunned),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registry {
    /// Whether the operator lets this server speak with a host.
    pub(crate) async fn check_host(&self, host: &str) -> Result<(), HostRefused> {
        let rules = self.domain_rules().await?;
        Ok(check_host(self.parts.policy.federation.mode, &rules, host)?)
    }

    pub(super) async fn domain_rules(&self) -> Result<Arc<[DomainRule]>, StoreError> {
        let now = self.parts.clock.now();
        let kept = self.rules.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, rules)) = kept
            && now - at < MAX_AGE
        {
            return Ok(rules);
        }
        let rules: Arc<[DomainRule]> = self.read().await?.list_domain_rules().await?.into();
        *self.rules.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&rules)));
        Ok(rules)
    }

    /// Sets rules, in place of others for the same patterns, and gives up what waits for hosts that are blocked by them.
    /// Says how many deliveries.
    ///
    /// # Errors
    /// [`StoreError`]; then none is set, or what waits is given up when it is due.
    pub async fn save_domain_rules(&self, rules: &[DomainRule]) -> Result<u64, StoreError> {
        let mut unit = self.parts.store.begin().await?;
        for rule in rules {
            unit.save_domain_rule(rule).await?;
        }
        unit.commit().await?;
        *self.rules.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let blocked = rules.iter().filter(|rule| rule.action == DomainAction::Block);
        let blocked: Vec<&DomainPattern> = blocked.map(|rule| &rule.pattern).collect();
        if blocked.is_empty() { Ok(0) } else { self.drop_mail_to(&blocked).await }
    }

    /// A unit of work for each host: together they would lock what couriers write down in another order.
    async fn drop_mail_to(&self, blocked: &[&DomainPattern]) -> Result<u64, StoreError> {
        let (mut dropped, mut last) = (0, String::new());
        loop {
            let hosts = self.read().await?.hosts_with_mail(&last, HOSTS).await?;
            for host in hosts.iter().filter(|host| blocked.iter().any(|pattern| pattern.matches(host))) {
                let reason = Shunned::Blocked(host.clone()).to_string();
                let mut unit = self.parts.store.begin().await?;
                dropped += unit.drop_deliveries(host, &reason, self.parts.clock.now()).await?;
                unit.commit().await?;
            }
            match hosts.into_iter().next_back() {
                Some(host) => last = host,
                None => return Ok(dropped),
            }
        }
    }

    /// Removes a rule; `false` when there is none for that pattern.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_domain_rule(&self, pattern: &DomainPattern) -> Result<bool, StoreError> {
        let mut unit = self.parts.store.begin().await?;
        let removed = unit.remove_domain_rule(pattern).await?;
        unit.commit().await?;
        *self.rules.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(removed)
    }
}
