import DICOMData

/// Why a step is no coercion, and of which attribute.
package struct CoercionError: Error, Equatable, Sendable {
    package enum Code: String, Sendable {
        /// The attribute says what the object is, how it is written, or what was changed in it.
        case notCoercible
        /// The attribute has no values that are written as text: a sequence, bytes, or one that the dictionary lacks.
        case noText
        /// The value is none of the attribute's VR. PS3.5 §6.2.
        case invalidValue
        /// Values are copied between a sequence and what is none.
        case unlike
    }

    package let code: Code
    package let tag: Tag

    package init(_ code: Code, _ tag: Tag) {
        self.code = code
        self.tag = tag
    }
}
