/// Whose an object is, as the site knows it: what is said in the place of what its sender wrote, in metadata and in the
/// object alike. PS3.18 §10.4.
///
/// There is one only where what the sender wrote contradicts the record: by a number that is not the patient's any more,
/// or never was; by another name, whatever the case of its letters; by another date of birth or sex; by another accession
/// number than that of the order. What an object leaves out contradicts nothing.
package struct ObjectSubject: Sendable, Hashable {
    /// A number, and who gave it, as far as that can be said in a data set.
    package struct Number: Sendable, Hashable {
        package let value: String
        package let system: String
        package let issuer: UnknownAuthority?
    }

    /// PN. Here and below: nil for what the sender wrote, empty for no value.
    package let name: String?
    package let number: Number?
    /// DA.
    package let birthDate: String?
    /// CS.
    package let sex: String?
    /// Its value is empty for no value.
    package let accession: Number?
    /// Whether the sender wrote of another person: then nothing of that stays.
    package let isOfAnother: Bool
    /// When the record or the link last changed.
    package let since: UTCInstant

    /// Nil where nothing is contradicted.
    ///
    /// - Parameters:
    ///   - identity: what the object says of whose it is.
    ///   - words: what it says of its patient besides.
    ///   - isVaried: whether objects beside it say it otherwise, so that it cannot be told from `words`.
    ///   - patient: the living record that it is linked to.
    ///   - given: the accession number of the order that it is linked to.
    package init?(
        _ identity: InstanceIdentity, _ words: PatientWords, isVaried: Bool = false, patient: Patient,
        accession given: Identifier?, authorities: AssigningAuthorities, since: UTCInstant
    ) {
        let own = patient.identifiers.first {
            $0.value == identity.patientID && $0.system == identity.patientIDSystem
        }
        isOfAnother = identity.patientID != nil && own == nil
        let current = own.flatMap { $0.isCurrent ? $0 : nil }
        number =
            current != nil && !isVaried
            ? nil : Self.number(current ?? Self.preferred(of: patient, authorities), authorities)
        let known = (
            name: patient.names.personName.flatMap { $0.isEmpty ? nil : $0 },
            birthDate: patient.birthDate.map(\.dateDigits).flatMap { $0.utf8.count == 8 ? $0 : nil },
            sex: Self.sex(of: patient)
        )
        let unknown: String? = isOfAnother ? "" : nil
        name = known.name ?? unknown
        birthDate = known.birthDate ?? unknown
        sex = known.sex ?? unknown
        let isOther = given?.value != identity.accessionNumber && (identity.accessionNumber != nil || isOfAnother)
        // The number of another person's order is none of this patient.
        let none =
            isOfAnother && given == nil && identity.accessionNumber != nil
            ? Number(value: "", system: "", issuer: nil) : nil
        accession = isOther || isVaried ? Self.number(given, authorities) ?? none : nil
        self.since = max(since, patient.eventTime ?? since)

        let isAnotherNumber = number != nil && number?.value != identity.patientID || isOfAnother
        let isAnotherName = words.name.map { PatientWords.differ($0, known.name ?? "") } ?? false
        let isAnotherDate = Self.differ(words.birthDate.map { $0.filter { $0 != "." } }, known.birthDate)
        let isAnotherSex = Self.differ(words.sex?.uppercased(), known.sex)
        guard isVaried || isAnotherNumber || isAnotherName || isAnotherDate || isAnotherSex || accession != nil else {
            return nil
        }
    }

    /// The number that the worklist shows too.
    private static func preferred(of patient: Patient, _ authorities: AssigningAuthorities) -> Identifier? {
        let current = patient.identifiers.filter(\.isCurrent)
        return current.first { $0.system == authorities.defaultPatientSystem } ?? current.first
            ?? patient.identifiers.first
    }

    private static func number(_ identifier: Identifier?, _ authorities: AssigningAuthorities) -> Number? {
        identifier.map {
            Number(value: $0.value, system: $0.system, issuer: authorities.designator(of: $0.system))
        }
    }

    private static func sex(of patient: Patient) -> String? {
        switch patient.sex {
        case .male: "M"
        case .female: "F"
        case .other: "O"
        case .unknown, nil: nil
        }
    }

    /// Of two values that are both there.
    private static func differ(_ told: String?, _ known: String?) -> Bool {
        guard let told, !told.isEmpty, let known else { return false }
        return told != known
    }

    /// Whether what the sender wrote of a request is of another person's.
    package var isOfAnotherRequest: Bool { isOfAnother && accession != nil }

    /// All of it as text, which is another where it says another thing.
    package var fingerprint: String {
        func text(_ number: Number?) -> String? {
            number.map { number in
                [number.value, number.issuer?.namespace, number.issuer?.universalID].map { $0 ?? "" }
                    .joined(separator: "^")
            }
        }
        let values = [name, text(number), birthDate, sex, text(accession)].map { $0.map { "=" + $0 } ?? "" }
        return (values + ["\(isOfAnother)", "\(since.microseconds)"]).joined(separator: "\n")
    }
}
