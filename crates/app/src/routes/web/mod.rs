//! Pages for people, and what they load.

mod anchors;
mod statics;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.configure(anchors::configure).configure(statics::configure);
}
