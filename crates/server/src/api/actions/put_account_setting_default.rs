//! PutAccountSettingDefault: for every principal that has chosen nothing, which is the root.

use longshore_wire::ecs::{PutAccountSettingDefaultRequest, PutAccountSettingDefaultResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<PutAccountSettingDefaultResponse, Exception> {
    let request: PutAccountSettingDefaultRequest = input::read(body)?;
    let name = input::required_setting(request.name)?;
    let value = input::required(request.value, "value")?;
    call.control.put_account_setting(name, &value).await?;
    let setting = render::account_setting(name, &value, call.owner());
    Ok(PutAccountSettingDefaultResponse { setting: Some(setting) })
}
