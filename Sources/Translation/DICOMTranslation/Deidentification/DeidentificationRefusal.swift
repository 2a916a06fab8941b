/// Why an object is not de-identified: what identifies in it can neither be removed nor cleaned.
package enum DeidentificationRefusal: String, Error, Sendable, CaseIterable {
    /// An encapsulated document: no other document stands for it. PS3.15 §E.1.1.
    case encapsulatedDocument
    /// Burned In Annotation (0028,0301) is YES, and no rule says where.
    case burnedInAnnotation
    /// Cleaning of pixels is asked for, no rule fits, and nothing says that no text is burned in.
    case pixelsUnknown
    /// Regions of compressed pixels, or overlays in their unused bits, cannot be blanked.
    case pixelsCompressed
    /// The pixels that are to be changed were left in their source.
    case pixelsNotRead
    /// The attributes of the image do not describe its pixels, or samples that are no whole bytes.
    case pixelsUnreadable
}
