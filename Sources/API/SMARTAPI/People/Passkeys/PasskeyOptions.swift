import Access
import Basics
import Cryptography
import HTTPSupport

/// What a page asks a browser for, in the JSON of WebAuthn Level 3 §5.1.8, §5.1.9: binary members in base64url.
enum PasskeyOptions {
    /// Milliseconds; the challenge lives longer.
    private static let timeout = 4 * 60 * 1000

    /// To make a credential that names its account by itself, on a device that looks who uses it. §5.4.
    static func creation(
        _ party: RelyingParty, _ account: Account, known: [Passkey], challenge: [UInt8]
    ) -> String {
        var json = JSONText()
        json.object { json in
            json.member("challenge", Base64URL.encode(challenge))
            json.object("rp") { json in
                json.member("id", party.id)
                json.member("name", "Hilum")
            }
            json.object("user") { json in
                // Opaque, and nothing of the person. §14.6.1.
                json.member("id", Base64URL.encode(account.id.utf8))
                json.member("name", account.name)
                json.member("displayName", account.displayName)
            }
            json.array("pubKeyCredParams") { json in
                for algorithm in COSEKey.Algorithm.allCases {
                    json.object { json in
                        json.member("type", "public-key")
                        json.member("alg", Int(algorithm.rawValue))
                    }
                }
            }
            json.member("timeout", timeout)
            json.member("attestation", "none")
            credentials("excludeCredentials", known, &json)
            json.object("authenticatorSelection") { json in
                json.member("residentKey", "required")
                json.member("requireResidentKey", true)
                json.member("userVerification", "required")
            }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// To sign in. §5.5.
    /// - Parameter known: of the account behind the password; empty where the authenticator is to say whose it is.
    static func request(_ party: RelyingParty, known: [Passkey], challenge: [UInt8]) -> String {
        var json = JSONText()
        json.object { json in
            json.member("challenge", Base64URL.encode(challenge))
            json.member("rpId", party.id)
            json.member("timeout", timeout)
            json.member("userVerification", known.isEmpty ? "required" : "preferred")
            credentials("allowCredentials", known, &json)
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func credentials(_ name: String, _ passkeys: [Passkey], _ json: inout JSONText) {
        json.array(name) { json in
            for passkey in passkeys {
                json.object { json in
                    json.member("type", "public-key")
                    json.member("id", Base64URL.encode(passkey.credentialID))
                }
            }
        }
    }
}
