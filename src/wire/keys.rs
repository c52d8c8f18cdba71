//! The bulk API key list, read only as far as it tells the dialect (`contract/apim.md` §3.7).
//! Nothing of an item is kept: hashes and names of keys are none of this engine's business.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::DecodeError;
use super::json::{self, Array, Collect, Object};
use crate::model::{KeyReading, Roll};

/// GA's answer: it has no such route and answers by `/apis/{id}`, whose JSON form lists all APIs
/// whatever the id (A-H25).
#[derive(Deserialize)]
struct ApiList {
    #[serde(default)]
    list: Array<Items>,
}

/// How many items there are, and the first that is no object.
#[derive(Default)]
struct Items {
    count: u64,
    strange: Option<u64>,
}

impl Collect<'_> for Items {
    type Item = Object<IgnoredAny>;

    fn add(&mut self, item: Self::Item) {
        if !matches!(item, Object::Fields(_)) {
            self.strange.get_or_insert(self.count);
        }
        self.count += 1;
    }
}

impl Items {
    fn count(&self) -> Result<u64, DecodeError> {
        match self.strange {
            None => Ok(self.count),
            Some(index) => Err(DecodeError::new(format!("item {index} is not an object"))),
        }
    }
}

/// Reads the answer to `GET /apis/api-keys`.
///
/// # Errors
/// Anything but an array of objects or an object with such an array named `list`.
pub fn decode_keys(body: &[u8]) -> Result<KeyReading, DecodeError> {
    if body.trim_ascii_start().starts_with(b"[") {
        let items: Items = json::read_array(body, "key list")?;
        items.count()?;
        return Ok(KeyReading::Keys(Roll::default()));
    }
    let apis: ApiList = json::read_object(body, "key list")?;
    apis.list.items("list")?.count()?;
    Ok(KeyReading::ApiList)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: Result<KeyReading, &str>) {
        let expect = expect.map_err(DecodeError::new);
        assert_eq!(decode_keys(body.as_bytes()), expect, "{body}");
    }

    #[test]
    fn an_array_is_keys_and_an_object_is_the_list_of_apis() {
        let fixed = r#"[{"uuid":"7c1e","name":"mobile-key","maskedApiKey":"****","apiKeyHashes":{"sha256":"9f86d0"},"artifactUuid":"d34a","status":"ACTIVE"}]"#;
        check(fixed, Ok(KeyReading::Keys(Roll::default())));
        check(" []", Ok(KeyReading::Keys(Roll::default())));
        check(r#"{"count":1,"list":[{"id":"d34a","name":"Pizza"}]}"#, Ok(KeyReading::ApiList));
        check(r#"{"list":[]}"#, Ok(KeyReading::ApiList));
    }

    #[test]
    fn anything_else_is_an_error() {
        check("", Err("key list is cut off at line 1 column 0"));
        check("null", Err("key list is not an object"));
        check("{}", Err("list is missing"));
        check(r#"{"list":null}"#, Err("list is missing"));
        check(r#"{"list":{}}"#, Err("list is not an array"));
        check("[{},7]", Err("item 1 is not an object"));
        check("[{}", Err("key list is cut off at line 1 column 3"));
        check("\"hunter2\"", Err("key list is not an object"));
        check("<html>", Err("key list is not JSON at line 1 column 1"));
    }
}
