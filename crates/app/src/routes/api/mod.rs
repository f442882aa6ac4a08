//! JSON for tools and renderers.

pub(crate) mod asset_body;
pub(crate) mod assets;
mod auth;
mod change_asset;
mod federation;
mod lineage;
mod publish_cache;
mod register_asset;
mod renderers;
mod runs;
mod verify;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .configure(auth::configure)
        .configure(verify::configure)
        .configure(runs::configure)
        .configure(publish_cache::configure)
        .configure(register_asset::configure)
        .configure(assets::configure)
        .configure(change_asset::configure)
        .configure(federation::configure)
        .configure(lineage::configure)
        .configure(renderers::configure);
}
