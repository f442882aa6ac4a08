//! What a server has besides its work: a front door, documentation, signs of life.

mod docs;
mod health;
mod root;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.configure(root::configure).configure(health::configure).configure(docs::configure);
}
