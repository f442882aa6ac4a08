use crate::{PublishError, Registry};
use artdag_federation::ActorSigner;
use artdag_kernel::Username;
use std::sync::Arc;

/// What this server signs in its own name. Each has keys of its own in the key store, under a name that nobody can
/// register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnKey {
    /// Requests to other servers, of the actor that stands for the whole site.
    Actor,
    /// The log's checkpoints.
    Log,
    /// Other logs' checkpoints, as a witness.
    Witness,
}

impl OwnKey {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Actor, Self::Log, Self::Witness];

    /// Under which name the key store has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Actor => "instance_actor",
            Self::Log => "instance_log",
            Self::Witness => "instance_witness",
        }
    }

    /// Whether a name is one of these.
    pub fn reserves(name: &Username) -> bool {
        Self::ALL.iter().any(|key| key.name() == name.as_str())
    }

    #[expect(clippy::expect_used, reason = "they are usernames")]
    pub(crate) fn owner(self) -> Username {
        self.name().parse().expect("a username")
    }
}

impl Registry {
    /// What signs with that key, which is made when it is first needed.
    pub(crate) async fn own_signer(&self, key: OwnKey) -> Result<Arc<dyn ActorSigner>, PublishError> {
        let name = key.owner();
        if let Some(signer) = self.parts.keys.signer(&name).await? {
            return Ok(signer);
        }
        self.parts.keys.ensure(&name).await?;
        self.parts.keys.signer(&name).await?.ok_or(PublishError::NoKeys(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_usernames_and_reserved() {
        for key in OwnKey::ALL {
            assert!(OwnKey::reserves(&key.owner()));
        }
        assert!(!OwnKey::reserves(&"instance".parse().unwrap()));
    }
}
