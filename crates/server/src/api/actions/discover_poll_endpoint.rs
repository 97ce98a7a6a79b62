//! DiscoverPollEndpoint: the agent's socket is at the address by which it reached this server.

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
        endpoint: Some(format!("http://{}/acs/", call.host)),
        ..DiscoverPollEndpointResponse::default()
    })
}
