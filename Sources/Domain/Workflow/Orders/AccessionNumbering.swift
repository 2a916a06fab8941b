/// Accession numbers of a site's own making, for orders that come without: a prefix and random digits.
///
/// They tell nothing of the patient or of how many orders there are, and several sites can number beside one another.
package struct AccessionNumbering: Sendable, Hashable {
    /// What DICOM takes: SH. PS3.5 §6.2.
    package static let lengthMax = 16
    /// Fewer would soon collide.
    package static let digitsMin = 6

    /// Of the numbers as identifiers.
    package var system: String
    /// Letters and digits before the number.
    package let prefix: String
    package let digits: Int

    /// Nil when the whole is longer than an accession number may be, or the prefix holds something else.
    package init?(system: String, prefix: String, digits: Int) {
        guard digits >= Self.digitsMin, prefix.utf8.count + digits <= Self.lengthMax,
            prefix.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) })
        else { return nil }
        self.system = system
        self.prefix = prefix
        self.digits = digits
    }

    /// Numbers that are tried before it is taken for granted that none is free.
    private static let triesMax = 32

    /// A number that no order has. Throws `StoreError(.full)` when none is found.
    func next(in unit: any UnitOfWork) throws -> Identifier {
        for _ in 0..<Self.triesMax {
            let number = unit.entropy.bytes(digits).map { String($0 % 10) }.joined()
            let identifier = Identifier(system: system, value: prefix + number, kind: .accession)
            if try unit.orders(identifiedBy: identifier, as: .accession).isEmpty { return identifier }
        }
        throw StoreError(.full, "no accession number is free: give accession_numbers more digits")
    }
}
