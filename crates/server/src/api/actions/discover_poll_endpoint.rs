//! DiscoverPollEndpoint: the agent's sockets are where it reached this server, and as it did.

use longshore_wire::ecs::{DiscoverPollEndpointRequest, DiscoverPollEndpointResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<DiscoverPollEndpointResponse, Exception> {
    let _: DiscoverPollEndpointRequest = input::read(body)?;
    Ok(DiscoverPollEndpointResponse {
        endpoint: Some(format!("{}://{}/acs/", call.scheme, call.host)),
        telemetry_endpoint: Some(format!("{}://{}/tcs/", call.scheme, call.host)),
        ..DiscoverPollEndpointResponse::default()
    })
}
