use crate::own_keys::OwnKey;
use crate::{PublishError, Registry};
use artdag_federation::{PublicKeys, SignAs};
use artdag_kernel::Username;

impl Registry {
    /// The public keys of the actor that stands for the site; made when they are first needed.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn instance_keys(&self) -> Result<PublicKeys, PublishError> {
        Ok(self.parts.keys.ensure(&OwnKey::Actor.owner()).await?)
    }

    /// Signs what the site itself asks of other servers.
    pub(crate) async fn sign_as_instance(&self) -> Result<SignAs, PublishError> {
        let signer = self.own_signer(OwnKey::Actor).await?;
        let site = &self.parts.site;
        Ok(SignAs { rsa_key: site.instance_key(), ed25519_key: site.instance_ed25519_key(), signer })
    }

    /// Signs what is sent in a user's name.
    pub(crate) async fn sign_as_user(&self, username: &Username) -> Result<SignAs, PublishError> {
        let signer = self.user_signer(username).await?;
        let site = &self.parts.site;
        Ok(SignAs { rsa_key: site.main_key(username), ed25519_key: site.ed25519_key(username), signer })
    }
}
