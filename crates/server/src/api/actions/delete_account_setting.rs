//! DeleteAccountSetting.

use longshore_wire::ecs::{DeleteAccountSettingRequest, DeleteAccountSettingResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<DeleteAccountSettingResponse, Exception> {
    let request: DeleteAccountSettingRequest = input::read(body)?;
    let name = input::required_setting(request.name)?;
    input::check_principal(request.principal_arn.as_deref(), call.owner())?;
    let value = call.control.delete_account_setting(name).await?;
    let setting = render::account_setting(name, value, call.owner());
    Ok(DeleteAccountSettingResponse { setting: Some(setting) })
}
