/// How a site wants objects de-identified: the options, and what each of them needs to know.
package struct DeidentificationProfile: Sendable, Equatable {
    /// A private element by its creator: `element` is the low byte. PS3.5 §7.8.1.
    package struct PrivateElement: Sendable, Hashable {
        package let group: UInt16
        package let creator: String
        package let element: UInt8

        package init(group: UInt16, creator: String, element: UInt8) {
            self.group = group
            self.creator = creator
            self.element = element
        }
    }

    package var options: DeidentificationOptions
    /// Private elements known to identify nobody. Used with `retainSafePrivate` only.
    package var safePrivate: Set<PrivateElement> = []
    /// Words, in any case, that cleaned text may keep beside the built-in ones. They identify nobody at this site.
    package var safeWords: Set<String> = []
    /// Which regions of which equipment's images hold text. The first rule that fits an image is its rule; one without
    /// regions says that the equipment writes none. Used with `cleanPixelData` only.
    package var pixelRules: [PixelRule] = []
    /// Dates go back by 1 to this many days, or weeks where the weekday is kept: 1 to 10,000.
    package var shiftMax = 520
    /// Dates are shifted by whole weeks.
    package var keepsWeekday = false

    package init(options: DeidentificationOptions = []) { self.options = options }
}
