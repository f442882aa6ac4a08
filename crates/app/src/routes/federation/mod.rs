//! ActivityPub: actors, their collections, objects and activities.

pub(crate) mod activities;
mod actors;
mod claims;
mod discovery;
mod inbox;
pub(crate) mod objects;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .configure(discovery::configure)
        .configure(actors::configure)
        .configure(inbox::configure)
        .configure(claims::configure)
        .configure(objects::configure)
        .configure(activities::configure);
}
