use crate::{RegisterAssetError, RegisteredAsset, Registry};
use artdag_assets::NewAsset;
use artdag_kernel::{ServerUrl, Username};
use artdag_provenance::RendererError;

/// Why cached content was not registered.
#[derive(Debug, thiserror::Error)]
pub enum PublishCacheError {
    /// The server is not one of this registry's renderers.
    #[error("{0} is not a renderer of this registry")]
    UnknownRenderer(ServerUrl),
    /// The renderer does not have the content.
    #[error("the renderer does not have this content")]
    NotCached,
    /// The renderer could not be asked.
    #[error(transparent)]
    Renderer(#[from] RendererError),
    /// The content could not be registered.
    #[error(transparent)]
    Register(#[from] RegisterAssetError),
}

impl Registry {
    /// Registers content that a renderer holds in its cache, once the renderer says that it does. Making the identical
    /// claim again answers the asset that is there, whether the renderer still holds it or not.
    ///
    /// # Errors
    /// [`PublishCacheError`]; nothing is written then.
    pub async fn publish_cache(
        &self,
        owner: &Username,
        l1_server: &ServerUrl,
        new: NewAsset,
    ) -> Result<RegisteredAsset, PublishCacheError> {
        if !self.is_renderer(l1_server) {
            return Err(PublishCacheError::UnknownRenderer(l1_server.clone()));
        }
        if let Some(asset) = self.find_claim(owner, &new).await? {
            return Ok(RegisteredAsset { asset, is_new: false });
        }
        match self.parts.renderers.has_content(l1_server, &new.content_hash).await {
            Ok(true) => Ok(self.register_asset(owner, new).await?),
            Ok(false) | Err(RendererError::NotFound) => Err(PublishCacheError::NotCached),
            Err(error) => Err(error.into()),
        }
    }
}
