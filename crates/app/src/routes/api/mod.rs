//! JSON for tools and renderers.

mod asset_body;
mod assets;
mod auth;
mod change_asset;
mod register_asset;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .configure(auth::configure)
        .configure(register_asset::configure)
        .configure(assets::configure)
        .configure(change_asset::configure);
}
