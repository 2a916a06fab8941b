/// Why bytes or JSON are no data set, or a data set cannot be written: what, where, and in which element. Never carries
/// a value.
package struct DICOMDataError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// The bytes end inside an element.
        case truncated
        /// An element or item is longer than what holds it.
        case lengthBeyondParent
        /// The two bytes at the place of the VR are no letters, and no length either.
        case invalidVR
        /// A VR that has no undefined length has one.
        case undefinedLength
        /// A delimiter stands where an element should, or an element where an item should.
        case unexpectedTag
        /// Sequences are nested deeper than `DecodingLimits.depthMax`.
        case tooDeep
        /// More than `DecodingLimits.elementsMax` elements or `itemsMax` items or fragments.
        case tooMany
        /// A buffered header or a value is longer than its limit.
        case tooLarge
        /// The owner of a scanner has no memory for what it would keep.
        case outOfMemory
        /// The deflated bytes are no deflate stream.
        case deflateInvalid
        /// The deflated bytes expand beyond `DecodingLimits.deflateRatioMax` or `inflatedBytesMax`.
        case deflateBomb
        /// No 128 bytes of preamble and `DICM`. PS3.10 §7.1.
        case notPart10
        /// (0002,0010) is absent or empty.
        case transferSyntaxMissing
        /// (0002,0010) is no transfer syntax that this codec reads.
        case transferSyntaxUnknown
        /// The JSON is not well-formed.
        case jsonInvalid
        /// The JSON is well-formed but not of the DICOM JSON model. PS3.18 §F.2.
        case jsonModelInvalid
        /// The XML is not well-formed, or no document of the Native DICOM Model. PS3.19 §A.1.
        case xmlInvalid
        /// A value that was left in its source is needed, or a BulkDataURI did not resolve.
        case valueUnavailable
        /// Fragments in a transfer syntax without encapsulation.
        case notEncapsulated
    }

    package let code: Code
    /// Bytes from the start of the input.
    package let offset: Int
    /// The element it happened in, when there is one.
    package let tag: Tag?

    package init(_ code: Code, at offset: Int, in tag: Tag? = nil) {
        self.code = code
        self.offset = offset
        self.tag = tag
    }

    package var description: String { "\(code.rawValue) at byte \(offset)\(tag.map { " in \($0)" } ?? "")" }
}
