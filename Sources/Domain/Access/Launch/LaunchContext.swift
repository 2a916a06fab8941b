/// What an application is launched for. SMART 2.2 §Launch context arrives with your access_token.
package struct LaunchContext: Sendable, Hashable, Codable {
    /// One element of `fhirContext`; at least one of reference, canonical and identifier. SMART 2.2 §fhirContext.
    package struct Item: Sendable, Hashable, Codable {
        /// A business identifier. FHIR R4 datatypes.html#Identifier.
        package struct Identifier: Sendable, Hashable, Codable {
            package var system: String
            package var value: String
            package init(system: String, value: String) {
                self.system = system
                self.value = value
            }
        }
        /// Relative: `ImagingStudy/1`.
        package var reference: String?
        package var canonical: String?
        package var identifier: Identifier?
        /// A FHIR resource type.
        package var type: String?
        /// An absolute URI; nil is `launch`.
        package var role: String?

        package init(
            reference: String? = nil, canonical: String? = nil, identifier: Identifier? = nil, type: String? = nil,
            role: String? = nil
        ) {
            self.reference = reference
            self.canonical = canonical
            self.identifier = identifier
            self.type = type
            self.role = role
        }
    }

    /// The logical id of a Patient.
    package var patient: String?
    /// The logical id of an Encounter.
    package var encounter: String?
    package var fhirContext: [Item]
    /// Whether the application has to show whose data it shows.
    package var needPatientBanner: Bool?
    package var intent: String?
    package var smartStyleURL: String?

    package init(
        patient: String? = nil, encounter: String? = nil, fhirContext: [Item] = [], needPatientBanner: Bool? = nil,
        intent: String? = nil, smartStyleURL: String? = nil
    ) {
        self.patient = patient
        self.encounter = encounter
        self.fhirContext = fhirContext
        self.needPatientBanner = needPatientBanner
        self.intent = intent
        self.smartStyleURL = smartStyleURL
    }
}

/// Relative references of launch contexts and of accounts.
package enum LaunchReference {
    /// The type and the logical id of `Type/id`; nil for anything else. FHIR R4 references.html#literal.
    package static func parts(_ text: String) -> (type: String, id: String)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts[0].utf8.first,
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first),
            parts[0].utf8.count <= 64, parts[0].allSatisfy({ $0.isASCII && $0.isLetter }), isID(String(parts[1]))
        else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    /// FHIR R4 datatypes.html#id.
    package static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") }
    }
}

/// A launch that an EHR has prepared: what the opaque value of `launch` stands for, once. SMART 2.2 §Launch app: EHR launch.
package struct PreparedLaunch: Sendable, Hashable {
    /// SHA-256 of the handle; the handle itself is kept by nobody but whom it was given to.
    package var digest: [UInt8]
    /// The application that it is for; nobody else's request is taken.
    package var clientID: String
    /// The person that it is for, as ``SignedInPerson/fhirUser``; nil for whoever signs in.
    package var fhirUser: String?
    package var context: LaunchContext
    /// Who has prepared it.
    package var preparedBy: String
    /// Microseconds since the epoch.
    package var expires: Int64

    package init(
        digest: [UInt8], clientID: String, fhirUser: String?, context: LaunchContext, preparedBy: String, expires: Int64
    ) {
        self.digest = digest
        self.clientID = clientID
        self.fhirUser = fhirUser
        self.context = context
        self.preparedBy = preparedBy
        self.expires = expires
    }
}
