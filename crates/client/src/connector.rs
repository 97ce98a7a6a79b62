//! Connections to a control plane, in plain text or by TLS as its URL says.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::ring;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::endpoint::{Endpoint, Scheme};
use crate::trust::{Trust, TrustError};
use crate::verifier::Verifier;

/// Makes connections; hyper's client takes it as it is. Clones share what is trusted.
#[derive(Clone)]
pub struct Connector(HttpsConnector<HttpConnector>);

/// A connection that a websocket can be opened on.
pub type Stream = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl Connector {
    /// Connections to this endpoint, and to what it says its socket is. Where it is plain text,
    /// nobody needs to be trusted. A TCP connection is waited for up to the limit.
    ///
    /// # Errors
    /// Where what is to be trusted cannot be read, and is needed.
    pub fn new(endpoint: &Endpoint, trust: &Trust, limit: Duration) -> Result<Self, TrustError> {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 need");
        let mut config = match endpoint.scheme() {
            Scheme::Http => {
                config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
            }
            Scheme::Https => config
                .dangerous() // Rustls calls a verifier of one's own so.
                .with_custom_certificate_verifier(Arc::new(Verifier::new(trust.load()?, provider)))
                .with_no_client_auth(),
        };
        config.resumption = Resumption::disabled();
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(limit));
        Ok(Self(HttpsConnector::from((tcp, config))))
    }

    /// Makes one attempt to connect to this URL's host.
    ///
    /// # Errors
    /// With the cause as its source: nobody there, or a server that is not to be believed.
    pub async fn open(&self, uri: &Uri) -> io::Result<Stream> {
        let connecting = self.0.clone().call(uri.clone());
        connecting.await.map(TokioIo::new).map_err(io::Error::other)
    }
}

impl Service<Uri> for Connector {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = <HttpsConnector<HttpConnector> as Service<Uri>>::Error;
    type Future = <HttpsConnector<HttpConnector> as Service<Uri>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        self.0.call(uri)
    }
}
