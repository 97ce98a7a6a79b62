//! `GET /metrics`: how the control plane, its clusters and their container instances fare, for
//! Prometheus. `fleet` reads the state and telemetry, `calls` counts what was asked, `reader` says
//! who may read.
//!
//! Series are bounded by what there is: clusters, registered container instances, operations.
//! Those of tasks come only where they are asked for, since they are many and short-lived. Every
//! metric of a cluster or an instance bears `cluster` as its first label; one of services would have
//! a prefix of its own, with `service` as the second.

mod calls;
mod fleet;
mod reader;
mod tasks;

use std::sync::Arc;

use axum::body::Body;
use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use longshore_wire::prometheus::{self, Kind, Page};
use tokio::sync::Mutex;

use crate::Doors;

pub(crate) use calls::{Calls, name};
pub(crate) use reader::Came;
pub use reader::{MetricsTokenFile, MetricsTokenFileError};

/// Where it is.
pub(crate) const PATH: &str = "/metrics";

/// The parameter that asks for the series of tasks.
const WITH_TASKS: &str = "tasks=true";

/// What there is besides the state.
#[derive(Default)]
pub(crate) struct Metrics {
    pub(crate) calls: Calls,
    /// Whoever comes from elsewhere must have this.
    pub(crate) token: Option<MetricsTokenFile>,
    /// One page at a time: a page of many instances is work.
    turn: Mutex<()>,
}

/// Answers a request for the page.
pub(crate) async fn answer(parts: &Parts, came: Came, doors: &Arc<Doors>) -> Response<Body> {
    if let Err(refusal) = reader::may(parts, came, doors.metrics.token.as_ref()) {
        let mut response = text(refusal.status(), refusal.to_string());
        if refusal.status() == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"longshore metrics\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        return response;
    }
    if parts.method != Method::GET {
        let message = "The metrics are at GET /metrics.\n".into();
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, message);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    let query = parts.uri.query().unwrap_or_default();
    let with_tasks = query.split('&').any(|it| it == WITH_TASKS);
    let _turn = doors.metrics.turn.lock().await;
    let written = tokio::task::spawn_blocking({
        let doors = Arc::clone(doors);
        move || page(&doors, with_tasks)
    });
    match written.await {
        Ok(page) => {
            let mut response = Response::new(Body::from(page));
            let kind = HeaderValue::from_static(prometheus::CONTENT_TYPE);
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            text(StatusCode::INTERNAL_SERVER_ERROR, "The metrics could not be written.\n".into())
        }
    }
}

fn text(status: StatusCode, message: String) -> Response<Body> {
    let mut response = Response::new(Body::from(message));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// The page of one state, which this reads from begin to end.
fn page(doors: &Doors, with_tasks: bool) -> String {
    let (control, mut page) = (&doors.control, Page::default());
    let (state, now) = (control.view(), control.now());
    page.metric("longshore_build_info", Kind::Gauge, "The version of this server.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    fleet::write(&mut page, &state, control.telemetry(), now);
    if with_tasks {
        tasks::write(&mut page, &state, control.telemetry());
    }
    let tellers = "Agents whose socket for telemetry is open.";
    page.metric("longshore_telemetry_connections", Kind::Gauge, tellers)
        .sample(&[], doors.telemetry.len() as f64);
    doors.metrics.calls.write(&mut page);
    let commits = "Commits to the journal since the server started; one holds all updates that \
                   waited for it.";
    page.metric("longshore_store_commits_total", Kind::Counter, commits)
        .sample(&[], control.store().commits() as f64);
    let updates = "Updates that changed something since the data directory was made.";
    page.metric("longshore_store_updates_total", Kind::Counter, updates)
        .sample(&[], state.revision() as f64);
    page.finish()
}
