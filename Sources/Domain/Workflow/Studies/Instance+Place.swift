extension Instance {
    /// Where an instance stands among those of its study, in the order of series and instance numbers: pages go on behind
    /// it, whether or not the instance is there still.
    package struct Place: Sendable, Hashable, Codable {
        package let seriesInstanceUID: String
        /// The instance number; `Int32.max` for one without, behind all others.
        package let number: Int
        package let sopInstanceUID: String
    }

    package var place: Place {
        Place(
            seriesInstanceUID: seriesInstanceUID, number: instanceNumber ?? Int(Int32.max),
            sopInstanceUID: sopInstanceUID)
    }
}
