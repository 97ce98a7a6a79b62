//! The doors for a caller in the same process: the very code that answers requests and tells
//! agents, without sockets and without time. The simulation comes in here.
//!
//! Nothing happens by itself: whoever holds this passes changes on and asks connections for what
//! they have to say.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Waker};

use bytes::Bytes;
use longshore_control::Control;
use longshore_control::access::Caller;
use longshore_store::StoreError;
use longshore_wire::ErrorBody;
use longshore_wire::acs::Refusal;

use crate::acs::{self, Hello, Hub, Seat, Session};
use crate::admission::Admission;
use crate::api::{self, Call, Gate, Pages};
use crate::metrics::Metrics;
use crate::roles::Roles;
use crate::room::Room;
use crate::transport::Transports;
use crate::{Doors, Keys, MasterKey, RootKey, tcs};

/// The control plane behind doors that only its own process can reach.
pub struct InProcess {
    doors: Arc<Doors>,
    /// Follows the store's commits whenever it is polled.
    following: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl InProcess {
    /// Opens the doors as a server does that has just started.
    pub async fn open(control: Control) -> Result<Self, StoreError> {
        control.forget_connections().await?;
        let root = RootKey { access_key_id: String::new(), secret_access_key: String::new() };
        let master = MasterKey::random();
        let doors = Arc::new(Doors {
            control,
            pages: Pages::new(root.secret_access_key.clone()),
            roles: Roles::of_nobody(master.clone()),
            gate: Gate::new(Keys { root, master }),
            hub: Hub::default(),
            telemetry: tcs::Hub::default(),
            acs_admission: Admission::default(),
            tcs_admission: Admission::default(),
            metrics: Metrics::default(),
            secrets: None,
            transports: Transports::default(),
            room: Room::of_this_process(),
            reached_at: None,
        });
        let following = Box::pin({
            let doors = Arc::clone(&doors);
            async move { doors.hub.follow(doors.control.store().clone()).await }
        });
        let mut opened = Self { doors, following };
        opened.pass_on();
        Ok(opened)
    }

    /// Answers a request as if its signature had been verified. The error is what the caller sees.
    pub async fn answer(&self, target: &str, body: &[u8]) -> Result<Bytes, ErrorBody> {
        let Doors { control, pages, secrets, .. } = &*self.doors;
        let (secrets, caller) = (secrets.as_ref(), Caller::Root);
        let call = Call { control, pages, secrets, caller, host: "localhost", scheme: "http" };
        api::answer(Some(target), body, &call).await.map_err(|it| it.body())
    }

    /// Wakes the connections that durable changes since the last time concern.
    pub fn pass_on(&mut self) {
        poll_once(self.following.as_mut());
    }

    /// Takes an agent's connection with this query in its handshake.
    ///
    /// # Errors
    /// The refusal, as the handshake's answer shows it.
    pub async fn connect(&self, query: &str) -> Result<Connection, Refusal> {
        let control = &self.doors.control;
        let hello = Hello::read(query, acs::NAMES, control.owner())?;
        hello.check(&control.view())?;
        match self.doors.hub.sit(control, &hello).await {
            Ok(Some(seat)) => {
                seat.news.notify_one();
                let Doors { hub, roles, .. } = &*self.doors;
                let (control, roles) = (control.clone(), roles.clone());
                let session = Session::new(hello, Caller::Root, control, None, roles, hub);
                Ok(Connection { doors: Arc::clone(&self.doors), session, seat })
            }
            Ok(None) | Err(_) => {
                let message = "The agent was turned away.".into();
                Err(Refusal { exception: "ServerException".into(), message })
            }
        }
    }

    /// Takes a frame of telemetry, from the agent with this query in its handshake, and gives the
    /// answer to it.
    ///
    /// # Errors
    /// The refusal of the handshake.
    pub async fn tell(&self, query: &str, frame: &str) -> Result<Option<String>, Refusal> {
        let control = &self.doors.control;
        let hello = Hello::read(query, tcs::NAMES, control.owner())?;
        hello.check(&control.view())?;
        let mut session = tcs::Session::new(hello, Caller::Root, control.clone());
        Ok(session.hear(frame).await.map(|it| it.encode()))
    }
}

/// One agent's connection, without its socket.
pub struct Connection {
    doors: Arc<Doors>,
    session: Session,
    seat: Arc<Seat>,
}

impl Connection {
    /// The frames to be sent now; none unless the connection was woken.
    pub async fn frames(&mut self) -> Vec<String> {
        let is_woken = poll_once(pin!(self.seat.news.notified()));
        if is_woken && self.session.has_instance() {
            return self.session.frames(self.seat.concerns()).await;
        }
        Vec::new()
    }

    /// Takes a frame of the agent in, and gives the answer to it.
    pub fn hear(&mut self, frame: &str) -> Option<String> {
        self.session.hear(frame, &self.seat)
    }

    /// Whether a newer connection of the same agent has taken over; says so once.
    pub fn is_replaced(&self) -> bool {
        poll_once(pin!(self.seat.replaced.notified()))
    }

    /// Ends the connection, from whichever side it came, and records that, unless a newer one has
    /// taken over.
    pub async fn end(self) -> Result<(), StoreError> {
        let Doors { hub, control, .. } = &*self.doors;
        hub.rise(control, self.session.hello.instance, &self.seat).await
    }
}

/// Whether the future is ready.
fn poll_once(future: Pin<&mut (impl Future<Output = ()> + ?Sized)>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}
