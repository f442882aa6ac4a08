//! Listens and serves, until told to stop.

use crate::bitcoin::{Bitcoin, run_follower};
use crate::http::client_address::TrustedProxies;
use crate::http::finish::finish;
use crate::http::methods::MethodTable;
use crate::http::problem::{Kind, Problem};
use crate::http::throttle::{CalendarThrottle, Throttle};
use crate::http::trace::RequestSpan;
use crate::openapi::{OpenApiJson, head, openapi, openapi_json};
use crate::pages::Pages;
use crate::routes;
use crate::wiring::{StartError, process_name};
use actix_cors::Cors;
use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use artdag_registry::{Registry, run_courier, run_sequencer, run_worker};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tracing_actix_web::TracingLogger;
use utoipa_actix_web::AppExt;

/// How long requests that are under way may take to end once the server is told to stop.
const DRAIN_SECONDS: u64 = 25;
/// How long jobs and deliveries that are under way may take to end after that. Another server may keep them waiting for
/// longer, and a supervisor kills at last.
pub(crate) const WIND_UP: Duration = Duration::from_secs(10);

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Takes the port.
    ///
    /// # Errors
    /// [`StartError`] when it is taken or may not be had.
    pub fn new(address: SocketAddr) -> Result<Self, StartError> {
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("PORT: another program listens on {address}; set PORT to a free one")
            }
            _ => format!("HOST, PORT: cannot listen on {address}: {error}"),
        };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true)?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` turns true, then ends what is under way and returns.
    ///
    /// # Errors
    /// [`StartError`] when the server cannot start.
    pub async fn serve(
        self,
        registry: Registry,
        bitcoin: Bitcoin,
        proxies: TrustedProxies,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), StartError> {
        let description = web::Data::new(OpenApiJson(openapi_json()?));
        let methods = web::Data::new(MethodTable::of(&openapi()));
        let throttle = web::Data::new(Throttle::new(proxies.clone()));
        let calendars = web::Data::new(CalendarThrottle::default());
        let proxies = web::Data::new(proxies);
        let registry_data = web::Data::new(registry.clone());
        let pages = web::Data::new(Pages::read()?);
        let server = HttpServer::new(move || {
            App::new()
                .into_utoipa_app()
                .openapi(head())
                .app_data(registry_data.clone())
                .app_data(description.clone())
                .app_data(methods.clone())
                .app_data(throttle.clone())
                .app_data(calendars.clone())
                .app_data(proxies.clone())
                .app_data(pages.clone())
                .configure(routes::configure)
                .into_app()
                .service(docs_redirect())
                .service(utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}").config(swagger_config()))
                .default_service(web::to(nothing_here))
                .wrap(from_fn(finish))
                .wrap(cors())
                .wrap(TracingLogger::<RequestSpan>::new())
        })
        .listen(self.listener)?
        .shutdown_timeout(DRAIN_SECONDS)
        .client_request_timeout(Duration::from_secs(15))
        .disable_signals()
        .run();

        let handle = server.handle();
        let (background_stop, stopped) = watch::channel(false);
        let holder = process_name(&self.address.to_string());
        let mut background = JoinSet::new();
        background.spawn(run_sequencer(registry.clone(), holder.clone(), stopped.clone()));
        background.spawn(run_worker(registry.clone(), holder.clone(), stopped.clone()));
        background.spawn(run_courier(registry.clone(), holder.clone(), stopped.clone()));
        background.spawn(run_follower(bitcoin, stopped));
        tokio::spawn(async move {
            if stop.wait_for(|stop| *stop).await.is_ok() {
                handle.stop(true).await;
            }
        });
        server.await?;
        background_stop.send_replace(true);
        wind_up(background, WIND_UP).await?;
        // The last publications get their index before the process goes.
        if let Err(error) = registry.sequence(&holder).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the last publications wait for the next start");
        }
        Ok(())
    }
}

/// Waits for the end of what was told to stop, and cuts off what has not ended by then. What it held stays held until its
/// lease ends, as after a kill; then it is done again.
pub(crate) async fn wind_up(mut background: JoinSet<()>, within: Duration) -> Result<(), JoinError> {
    let ended = async {
        while let Some(ended) = background.join_next().await {
            ended?;
        }
        Ok(())
    };
    if let Ok(ended) = tokio::time::timeout(within, ended).await {
        return ended;
    }
    tracing::warn!("jobs or deliveries did not end in time; they are done again later");
    background.shutdown().await;
    Ok(())
}

fn swagger_config() -> utoipa_swagger_ui::Config<'static> {
    utoipa_swagger_ui::Config::from("/openapi.json").try_it_out_enabled(true).persist_authorization(true)
}

/// People type `/docs`; the viewer's own files are relative to `/docs/`.
fn docs_redirect() -> actix_web::Resource {
    web::resource("/docs").route(
        web::get().to(async || HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()),
    )
}

/// Anybody's page may read; nobody's page may send credentials along.
fn cors() -> Cors {
    Cors::default().allow_any_origin().send_wildcard().allowed_methods([Method::GET, Method::HEAD]).max_age(86_400)
}

/// What matches no route: a path that is not there, or a method that a path does not take.
async fn nothing_here(request: HttpRequest, methods: web::Data<MethodTable>) -> HttpResponse {
    let Some(allowed) = methods.allowed(request.path()) else {
        return HttpResponse::from_error(Problem::not_found(format_args!("`{}` here", request.path())));
    };
    let detail = format!("{} is not for `{}`; it takes {allowed}.", request.method(), request.path());
    let mut response = HttpResponse::from_error(Problem::new(Kind::MethodNotAllowed, detail));
    if let Ok(value) = header::HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_does_not_end_is_cut_off() {
        let (held, released) = oneshot::channel::<()>();
        let mut background = JoinSet::new();
        background.spawn(async {});
        background.spawn(async move {
            // As a worker holds what it has begun.
            let mut begun = JoinSet::new();
            begun.spawn(async move {
                let _held = held;
                pending::<()>().await;
            });
            begun.join_next().await;
        });
        wind_up(background, Duration::from_millis(50)).await.unwrap();
        assert!(released.await.is_err(), "it was dropped");
    }

    #[tokio::test]
    async fn what_ends_in_time_is_waited_for() {
        let (done, mut awaited) = oneshot::channel();
        let mut background = JoinSet::new();
        background.spawn(async move {
            tokio::task::yield_now().await;
            done.send(()).unwrap();
        });
        wind_up(background, Duration::from_secs(60)).await.unwrap();
        assert!(awaited.try_recv().is_ok());
    }
}
