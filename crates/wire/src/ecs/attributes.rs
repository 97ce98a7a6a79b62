//! PutAttributes, DeleteAttributes and ListAttributes.

use super::Attribute;
use crate::shape::shape;

shape! {
    pub struct PutAttributesRequest {
        cluster: Option<String> = "cluster",
        attributes: Option<Vec<Attribute>> = "attributes",
    }

    pub struct PutAttributesResponse {
        attributes: Option<Vec<Attribute>> = "attributes",
    }

    pub struct DeleteAttributesRequest {
        cluster: Option<String> = "cluster",
        attributes: Option<Vec<Attribute>> = "attributes",
    }

    pub struct DeleteAttributesResponse {
        attributes: Option<Vec<Attribute>> = "attributes",
    }

    pub struct ListAttributesRequest {
        cluster: Option<String> = "cluster",
        /// `container-instance`.
        target_type: Option<String> = "targetType",
        attribute_name: Option<String> = "attributeName",
        attribute_value: Option<String> = "attributeValue",
        next_token: Option<String> = "nextToken",
        max_results: Option<i32> = "maxResults",
    }

    pub struct ListAttributesResponse {
        attributes: Option<Vec<Attribute>> = "attributes",
        next_token: Option<String> = "nextToken",
    }
}
