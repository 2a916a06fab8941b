/// That one account sees one patient for a time, beyond what its role gives: an operator's grant, or an emergency.
package struct PatientGrant: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Given by an operator.
        case grant
        /// Taken by the person, with a reason: break-glass. IHE BALP; HL7 v3 ActReason BTG.
        case emergency

        /// Whether somebody of a role may have one: a grant whoever works here, an emergency who reads or refers.
        package func isFor(_ role: SignedInPerson.Role) -> Bool {
            switch self {
            case .grant: role.practice != nil
            case .emergency: role == .referrer || role == .reader
            }
        }
    }

    /// Opaque, unique.
    package let id: String
    package let accountID: String
    /// The logical id.
    package let patientID: String
    package let kind: Kind
    /// Why, for people; 1 to ``reasonBytesMax`` bytes of an emergency.
    package let reason: String
    /// Who gave it: an operator's name, or the account's own id.
    package let givenBy: String
    /// Microseconds since 1970 UTC, as all times here.
    package let givenAt: Int64
    package let expires: Int64
    package let revokedAt: Int64?

    package init(
        id: String, accountID: String, patientID: String, kind: Kind, reason: String, givenBy: String, givenAt: Int64,
        expires: Int64, revokedAt: Int64? = nil
    ) {
        self.id = id
        self.accountID = accountID
        self.patientID = patientID
        self.kind = kind
        self.reason = reason
        self.givenBy = givenBy
        self.givenAt = givenAt
        self.expires = expires
        self.revokedAt = revokedAt
    }

    package static let reasonBytesMax = 500

    package func isOpen(at time: Int64) -> Bool { revokedAt == nil && expires > time }
}

/// The worklist that a reader reads from: entries of its modalities, of its stations and of those of its sites.
package struct ReadingDesk: Sendable, Hashable {
    /// Codes of DICOM Modality (0008,0060), or ``every``. None shows nothing.
    package var modalities: [String]
    /// AE titles of the stations of the sites: the scheduled one, or the one that sent the images; or ``every``. None
    /// shows nothing.
    package var stations: [String]
    /// Relative references, `Location/1` or `Organization/2`: each stands for the stations whose Device is there, or
    /// theirs, as it stands now. FHIR R4 device.html.
    package var sites: [String]

    package init(modalities: [String] = [], stations: [String] = [], sites: [String] = []) {
        self.modalities = modalities
        self.stations = stations
        self.sites = sites
    }

    /// Stands for all modalities, or all stations.
    package static let every = "*"
    package static let entriesMax = 100

    /// Whether a text can be a modality: `*`, or 1 to 16 of `A-Z 0-9 _` and space inside. PS3.5 §6.2 (CS).
    package static func isModality(_ text: String) -> Bool {
        text == every
            || (1...16).contains(text.utf8.count)
                && text.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }

    /// Whether a text can be an AE title: `*`, or 1 to 16 printable ASCII characters but backslash, no space at an end.
    /// PS3.5 §6.2 (AE).
    package static func isStation(_ text: String) -> Bool {
        (1...16).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x5C }
            && text.first != " " && text.last != " "
    }

    /// Whether a text can be a site: `Location/` or `Organization/` and an id. FHIR R4 datatypes.html#id.
    package static func isSite(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && ["Location", "Organization"].contains(parts[0])
            && (1...64).contains(parts[1].utf8.count)
            && parts[1].utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                    || $0 == 0x2E
            }
    }
}

/// The port to grants and desks. Times are microseconds since 1970 UTC.
package protocol PracticeDirectory: Sendable {
    /// Keeps a grant. False, and nothing is kept, where the account is gone or locked, or is of a role that it is not for,
    /// the patient is not in the record, or the session in which it is taken has ended.
    ///
    /// - Parameter sessionID: nil for what an operator gives.
    func save(_ grant: PatientGrant, inSession sessionID: String?) async throws -> Bool
    /// Ends all open grants of a patient to an account, of all records that were merged with it; how many.
    func revokeGrants(ofAccount accountID: String, patientID: String, at time: Int64) async throws -> Int
    /// Newest first, those of one kind or all, of one account or all; at most `limit`, those that are over among them.
    func grants(_ kind: PatientGrant.Kind?, ofAccount accountID: String?, limit: Int) async throws -> [PatientGrant]
    /// The logical ids of the patients of a record number, survivors of merged records; of any system where none is
    /// given. At most 10.
    func patients(numbered value: String, system: String?) async throws -> [String]

    func desk(ofAccount accountID: String) async throws -> ReadingDesk
    /// False where there is no such account.
    func save(_ desk: ReadingDesk, ofAccount accountID: String) async throws -> Bool
}

extension PracticeDirectory {
    /// Keeps what an operator gives.
    package func save(_ grant: PatientGrant) async throws -> Bool { try await save(grant, inSession: nil) }
}
