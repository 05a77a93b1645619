//! The keys of a table, as DynamoDB wants them and in words.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, KeySchemaElement, KeyType, ScalarAttributeType, TableDescription,
};
use place_canvas::tables::schema::KeyKind;

/// A key attribute as a create call wants it: once as an attribute, once as a key.
pub(super) fn key_attribute(
    attribute: &str,
    kind: KeyKind,
) -> (AttributeDefinition, KeySchemaElement) {
    let definition = AttributeDefinition::builder()
        .attribute_name(attribute)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .expect("an attribute with name and type is complete");
    let element = KeySchemaElement::builder()
        .attribute_name(attribute)
        .key_type(key_type(kind))
        .build()
        .expect("a key with name and type is complete");
    (definition, element)
}

const fn key_type(kind: KeyKind) -> KeyType {
    match kind {
        KeyKind::Partition => KeyType::Hash,
        KeyKind::Sort => KeyType::Range,
    }
}

/// Keys in words: `pixel (S, HASH), t (S, RANGE)`.
pub(super) fn schema_text(schema: &[(&str, KeyKind)]) -> String {
    let parts = schema
        .iter()
        .map(|(name, kind)| format!("{name} (S, {})", key_type(*kind)));
    parts.collect::<Vec<_>>().join(", ")
}

/// The keys that a table has, in the same words.
pub(super) fn schema_of(table: &TableDescription) -> String {
    let kind = |name: &str| {
        let mut definitions = table.attribute_definitions().iter();
        let definition = definitions.find(|definition| definition.attribute_name() == name);
        definition.map_or("?", |definition| definition.attribute_type().as_str())
    };
    let parts = table.key_schema().iter().map(|element| {
        format!(
            "{} ({}, {})",
            element.attribute_name(),
            kind(element.attribute_name()),
            element.key_type()
        )
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use place_canvas::tables::schema;

    use super::*;

    fn described(keys: &[(&str, KeyKind)]) -> TableDescription {
        let mut table = TableDescription::builder();
        for (name, kind) in keys {
            let (definition, element) = key_attribute(name, *kind);
            table = table.attribute_definitions(definition).key_schema(element);
        }
        table.build()
    }

    #[test]
    fn the_keys_are_compared_with_their_types_and_kinds() {
        let wanted = schema_text(&schema::history());
        assert_eq!(wanted, "pixel (S, HASH), t (S, RANGE)");
        assert_eq!(schema_of(&described(&schema::history())), wanted);
        assert_ne!(schema_of(&described(&schema::mru())), wanted);
    }
}
