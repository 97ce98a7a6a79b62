//! ListAccountSettings.

use longshore_model::account_settings::SettingName;
use longshore_wire::ecs::{ListAccountSettingsRequest, ListAccountSettingsResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

const MAX_RESULTS: u32 = 10;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<ListAccountSettingsResponse, Exception> {
    let request: ListAccountSettingsRequest = input::read(body)?;
    let owner = call.owner();
    let name = request.name.filter(|it| !it.is_empty());
    let name = name.map(|it| input::parse_setting(&it)).transpose()?;
    let value = request.value.filter(|it| !it.is_empty());
    if value.is_some() && name.is_none() {
        return Err(Exception::invalid("value needs the name of a setting beside it."));
    }
    input::check_principal(request.principal_arn.as_deref(), owner)?;
    let with_defaults = request.effective_settings.unwrap_or(false);
    let page = call.pages.page_of::<SettingName>(
        MAX_RESULTS,
        format!("ListAccountSettings {name:?} {value:?} {with_defaults}"),
        request.max_results,
        request.next_token.as_deref(),
    )?;
    let state = call.control.view();
    let settings = state.account_settings();
    let found = SettingName::ALL.iter().copied();
    let found = found
        .filter(|it| page.after().is_none_or(|after| after < it))
        .filter(|it| name.is_none_or(|name| name == *it))
        .filter_map(|it| {
            let own = settings.own(it);
            let shown = if with_defaults { Some(settings.effective(it)) } else { own };
            Some((it, shown?))
        })
        .filter(|(_, found)| value.as_ref().is_none_or(|it| it == found));
    let (found, next_token) = page.fill(found, |(name, _)| *name);
    let shown = found.iter().map(|(name, value)| render::account_setting(*name, value, owner));
    Ok(ListAccountSettingsResponse { settings: Some(shown.collect()), next_token })
}
