use crate::{AuthenticateError, Identity, Registry};
use artdag_auth::{AccessToken, Scope};
use artdag_kernel::ServerUrl;

/// Why a renderer is not told that a token is good.
#[derive(Debug, thiserror::Error)]
pub enum VerifyTokenError {
    /// The token is not accepted at all.
    #[error(transparent)]
    Token(#[from] AuthenticateError),
    /// The asking server is not one of this registry's renderers.
    #[error("{0} is not a renderer of this registry")]
    UnknownRenderer(ServerUrl),
    /// The token is bound to another renderer, or to none.
    #[error("the token is not bound to {0}")]
    OtherScope(ServerUrl),
}

impl Registry {
    /// Tells a renderer whether a token is good, not revoked, and made for that renderer alone.
    ///
    /// # Errors
    /// [`VerifyTokenError`].
    pub async fn verify_token(&self, token: &AccessToken, caller: &ServerUrl) -> Result<Identity, VerifyTokenError> {
        let identity = self.authenticate(token).await?;
        if !self.is_renderer(caller) {
            return Err(VerifyTokenError::UnknownRenderer(caller.clone()));
        }
        match &identity.scope {
            Scope::Renderer(bound) if bound == caller => Ok(identity),
            _ => Err(VerifyTokenError::OtherScope(caller.clone())),
        }
    }

    /// Whether this server is one of those the operator allows.
    pub fn is_renderer(&self, server: &ServerUrl) -> bool {
        self.parts.policy.l1_servers.contains(server)
    }
}
