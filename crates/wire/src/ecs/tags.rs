//! TagResource, UntagResource and ListTagsForResource.

use super::Tag;
use crate::shape::shape;

shape! {
    pub struct TagResourceRequest {
        resource_arn: Option<String> = "resourceArn",
        tags: Option<Vec<Tag>> = "tags",
    }

    pub struct TagResourceResponse {}

    pub struct UntagResourceRequest {
        resource_arn: Option<String> = "resourceArn",
        tag_keys: Option<Vec<String>> = "tagKeys",
    }

    pub struct UntagResourceResponse {}

    pub struct ListTagsForResourceRequest {
        resource_arn: Option<String> = "resourceArn",
    }

    pub struct ListTagsForResourceResponse {
        tags: Option<Vec<Tag>> = "tags",
    }
}
