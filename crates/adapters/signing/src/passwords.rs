use crate::HeavyWork;
use artdag_auth::{HasherError, Password, PasswordHash, PasswordHasher};
use artdag_kernel::Randomness;
use async_trait::async_trait;
use std::sync::Arc;

/// argon2id, as many at once as the [`HeavyWork`] allows: 19 MiB each.
pub struct BoundedArgon2 {
    work: HeavyWork,
    randomness: Arc<dyn Randomness>,
}

impl BoundedArgon2 {
    /// Hashes within `work`, with salts from `randomness`.
    pub fn new(work: HeavyWork, randomness: Arc<dyn Randomness>) -> Self {
        Self { work, randomness }
    }
}

#[async_trait]
impl PasswordHasher for BoundedArgon2 {
    async fn hash(&self, password: Password) -> Result<PasswordHash, HasherError> {
        let mut salt = [0; 16];
        self.randomness.fill(&mut salt);
        let hash = self.work.run(move || PasswordHash::make(&password, salt)).await;
        hash.map_err(|e| HasherError(Box::new(e)))?.map_err(|e| HasherError(Box::new(e)))
    }

    async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, HasherError> {
        let check = move || match hash {
            Some(hash) => hash.matches(&password),
            None => {
                // For the time it takes.
                PasswordHash::of_nobody().matches(&password);
                false
            }
        };
        self.work.run(check).await.map_err(|e| HasherError(Box::new(e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use artdag_kernel::testing::SeededRandomness;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn hashes_with_a_salt_of_its_own_and_checks() {
        let hasher = BoundedArgon2::new(HeavyWork::one_per_core(), Arc::new(SeededRandomness::default()));
        let hash = hasher.hash(password("correct horse")).await.unwrap();
        let again = hasher.hash(password("correct horse")).await.unwrap();
        assert_ne!(hash.as_str(), again.as_str());
        assert!(hasher.verify(password("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(password("wrong horse"), Some(hash)).await.unwrap());
        assert!(!hasher.verify(password("correct horse"), None).await.unwrap());
    }
}
