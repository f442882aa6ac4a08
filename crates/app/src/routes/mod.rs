//! The routes, by what they speak: `api` JSON for tools, `federation` ActivityPub, `log` C2SP's words for
//! transparency logs, `anchors` those of OpenTimestamps and Bitcoin, `web` pages
//! for people, `service` the rest.
//!
//! A route reads its request, calls one use case or reads through the ports, and presents the answer. To add
//! one: a handler with `#[utoipa::path]` in the file of its path, and its name in that file's `configure`.

pub mod anchors;
pub mod api;
pub mod federation;
pub mod log;
pub mod service;
pub mod web;

use utoipa_actix_web::service_config::ServiceConfig;

/// Every route of the server.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .configure(api::configure)
        .configure(federation::configure)
        .configure(log::configure)
        // Before the anchors, of which `ui` would be one.
        .configure(web::configure)
        .configure(anchors::configure)
        .configure(service::configure);
}
