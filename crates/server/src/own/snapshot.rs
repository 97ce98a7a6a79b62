//! `snapshot`: what placement looks at, as a file.
//!
//! It is of one state, whatever happens meanwhile, and is sent as it is written: a few pieces are
//! in memory, however large it is. One that cannot be ended lacks its last line, by which whoever
//! reads it knows.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use longshore_control::{Control, clusters, reference};
use longshore_store::snapshot::{self, Header};
use longshore_wire::own::{SNAPSHOT_TYPE, SnapshotRequest};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::api::{Exception, read_whole};

/// So many bytes are sent at once.
const PIECE: usize = 64 * 1024;

/// So many pieces wait to be sent.
const WAITING: usize = 2;

/// A caller that takes nothing for so long is sent nothing more.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn answer(body: &[u8], control: &Control) -> Result<Response<Body>, Exception> {
    let request: SnapshotRequest = read_whole(body)?;
    let (owner, state) = (control.owner(), control.view());
    let cluster = request.cluster.as_deref();
    let cluster = cluster.map(|it| reference::cluster(Some(it), owner)).transpose()?;
    if let Some(cluster) = &cluster {
        clusters::active(&state, cluster)?;
    }
    let header = Header {
        taken_at: control.now(),
        owner: owner.clone(),
        has_fargate: control.has_fargate(),
        cluster,
    };
    let (sender, pieces) = mpsc::channel(WAITING);
    let caller = Caller { sender, runtime: Handle::current() };
    tokio::task::spawn_blocking(move || {
        let failed = caller.sender.clone();
        let mut output = BufWriter::with_capacity(PIECE, caller);
        if let Err(error) = snapshot::write(&state, &header, &mut output) {
            tracing::warn!(%error, "a snapshot was not sent to its end");
            // The caller may be gone, or not listen.
            let _ = failed.try_send(Err(error));
        }
    });
    let pieces = futures_util::stream::unfold(pieces, |mut pieces| async {
        pieces.recv().await.map(|it| (it, pieces))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(SNAPSHOT_TYPE));
    Ok(response)
}

/// Who is sent what is written.
struct Caller {
    sender: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
}

impl Write for Caller {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let send = self.sender.send(Ok(Bytes::copy_from_slice(piece)));
        match self.runtime.block_on(async { timeout(PATIENCE, send).await }) {
            Ok(Ok(())) => Ok(piece.len()),
            Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the caller is gone")),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the caller takes no more")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
