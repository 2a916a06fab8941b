/// The user information item: what both sides negotiate beside the contexts. PS3.8 §9.3.2.3, PS3.7 Annex D.
package struct UserInformation: Sendable, Equatable {
    /// The longest P-DATA-TF the sender of this item takes, bytes, without the 6 bytes of PDU header;
    /// 0 is no limit; nil when the item was absent, which is the same. PS3.8 §D.1.
    package var maximumLength: UInt32?
    /// PS3.7 §D.3.3.2.1. Empty when the peer sent none.
    package var implementationClassUID = ""
    /// 1 to 16 characters. PS3.7 §D.3.3.2.3.
    package var implementationVersionName: String?
    /// nil is one operation each way. PS3.7 §D.3.3.3.
    package var asynchronousOperationsWindow: AsynchronousOperationsWindow?
    /// PS3.7 §D.3.3.4.
    package var roleSelections: [RoleSelection] = []
    /// PS3.7 §D.3.3.5.
    package var extendedNegotiations: [ExtendedNegotiation] = []
    /// In requests only. PS3.7 §D.3.3.6.
    package var commonExtendedNegotiations: [CommonExtendedNegotiation] = []
    /// In requests only. PS3.7 §D.3.3.7.1.
    package var userIdentity: UserIdentity?
    /// In acceptances only: the server response, empty for identities other than Kerberos, SAML. PS3.7 §D.3.3.7.2.
    package var userIdentityResponse: [UInt8]?

    package init(maximumLength: UInt32?, implementationClassUID: String, implementationVersionName: String? = nil) {
        self.maximumLength = maximumLength
        self.implementationClassUID = implementationClassUID
        self.implementationVersionName = implementationVersionName
    }
}

/// How many operations may be outstanding; 0 is without limit. PS3.7 §D.3.3.3.
package struct AsynchronousOperationsWindow: Sendable, Equatable {
    package var invoked: UInt16
    package var performed: UInt16
    package init(invoked: UInt16, performed: UInt16) {
        self.invoked = invoked
        self.performed = performed
    }
}

/// Which roles the requestor of the association proposes, or is granted, for one SOP class. PS3.7 §D.3.3.4.
package struct RoleSelection: Sendable, Hashable {
    package var sopClassUID: String
    package var scu: Bool
    package var scp: Bool
    package init(sopClassUID: String, scu: Bool, scp: Bool) {
        self.sopClassUID = sopClassUID
        self.scu = scu
        self.scp = scp
    }
}

/// Application information of one SOP class, in the form its service class defines. PS3.7 §D.3.3.5.
package struct ExtendedNegotiation: Sendable, Hashable {
    package var sopClassUID: String
    package var information: [UInt8]
    package init(sopClassUID: String, information: [UInt8]) {
        self.sopClassUID = sopClassUID
        self.information = information
    }
}

/// The service class of a SOP class and the classes it is a special case of. PS3.7 §D.3.3.6.
package struct CommonExtendedNegotiation: Sendable, Equatable {
    package var sopClassUID: String
    package var serviceClassUID: String
    package var relatedGeneralSOPClassUIDs: [String]
    package init(sopClassUID: String, serviceClassUID: String, relatedGeneralSOPClassUIDs: [String] = []) {
        self.sopClassUID = sopClassUID
        self.serviceClassUID = serviceClassUID
        self.relatedGeneralSOPClassUIDs = relatedGeneralSOPClassUIDs
    }
}

/// Who the user behind the requestor is. The fields are secrets: never log them. PS3.7 §D.3.3.7.1.
package struct UserIdentity: Sendable, Equatable {
    /// Bytes of both fields together, which share an item of 65,535 bytes with all else that is negotiated.
    package static let bytesMax = 32 << 10

    /// 1 user name, 2 user name and passcode, 3 Kerberos ticket, 4 SAML assertion, 5 JSON Web Token; others kept.
    package var kind: UInt8
    package var positiveResponseRequested: Bool
    package var primary: [UInt8]
    /// The passcode of kind 2, else empty.
    package var secondary: [UInt8]
    package init(kind: UInt8, positiveResponseRequested: Bool, primary: [UInt8], secondary: [UInt8] = []) {
        self.kind = kind
        self.positiveResponseRequested = positiveResponseRequested
        self.primary = primary
        self.secondary = secondary
    }
}
