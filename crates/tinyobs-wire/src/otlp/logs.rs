//! Logs: how many records a request has; they are not stored.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::json::{self, Object};
use super::proto::each_message;
use super::{BodyError, Format};

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow)]
    resource_logs: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ResourceLogs<'a> {
    #[serde(borrow)]
    scope_logs: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ScopeLogs<'a> {
    #[serde(borrow)]
    log_records: Option<&'a RawValue>,
}

/// The number of log records in a request.
///
/// # Errors
/// The body cannot be read.
pub fn count(format: Format, body: &[u8]) -> Result<u32, BodyError> {
    let mut records = 0_u32;
    match format {
        Format::Protobuf => each_message(body, 1, |resource_logs| {
            each_message(resource_logs, 2, |scope_logs| {
                each_message(scope_logs, 2, |_| {
                    records = records.saturating_add(1);
                    Ok(())
                })
            })
        })?,
        Format::Json => {
            let request = serde_json::from_slice::<Object<Request<'_>>>(body);
            let Object(request) = request.map_err(|error| json::broken(&error))?;
            json::each(
                request.resource_logs,
                |Object(resource): Object<ResourceLogs<'_>>| {
                    json::each(
                        resource.scope_logs,
                        |Object(scope): Object<ScopeLogs<'_>>| {
                            json::each(scope.log_records, |_: IgnoredAny| {
                                records = records.saturating_add(1);
                                Ok(())
                            })
                        },
                    )
                },
            )?;
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests;
