//! PutAccountSetting.

use longshore_wire::ecs::{PutAccountSettingRequest, PutAccountSettingResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<PutAccountSettingResponse, Exception> {
    let request: PutAccountSettingRequest = input::read(body)?;
    let name = input::required_setting(request.name)?;
    let value = input::required(request.value, "value")?;
    input::check_principal(request.principal_arn.as_deref(), call.owner())?;
    call.control.put_account_setting(name, &value).await?;
    let setting = render::account_setting(name, &value, call.owner());
    Ok(PutAccountSettingResponse { setting: Some(setting) })
}
