import Access
import ArgumentParser
import BlobStore
import Cryptography
import Foundation
import SMARTAPI
import SQLStore
import Workflow

/// `hilum init DIR`: everything a server needs, in one folder.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a server folder: configuration, keys, certificates and an empty store.")

    @Argument(help: "The folder to make. It must be empty or not there.")
    var folder: String

    @Option(help: "The HTTPS port; 0 takes a free one at start.") var httpPort = 8443
    @Option(help: "The DIMSE port; 0 takes a free one at start.") var dimsePort = 11112
    @Option(help: "The MLLP port; 0 takes a free one at start.") var mllpPort = 2575
    @Option(help: "Keep the data in PostgreSQL instead of SQLite: a libpq connection string.") var postgres: String?
    @Option(
        name: .customLong("host-name"), help: "A DNS name for the server certificate, besides localhost. Repeatable.")
    var hostNames: [String] = []
    @Option(help: "The IANA time zone of the site, for times that arrive without one.") var timeZone: String?
    @Flag(help: "Keep blobs unencrypted: only for a disk that is encrypted itself.") var noEncryption = false
    @Flag(help: "Seal the bodies of resources and messages in the database, too.") var encryptBodies = false
    @Option(
        name: .customLong("master-key"),
        help: ArgumentHelp(
            "Where the master key is, instead of a new file: file:PATH, credential:NAME (systemd), command:PATH (prints it), wrapping-command:PATH (a device's wraps and unwraps).",
            valueName: "place"))
    var masterKey: String?

    func run() async throws {
        let server = ServerFolder(folder)
        let files = FileManager.default
        if let existing = try? files.contentsOfDirectory(atPath: server.path), !existing.isEmpty {
            throw ValidationError("\(server.path) is not empty; name another folder")
        }
        if let timeZone, TimeZone(identifier: timeZone) == nil {
            throw ValidationError("\(timeZone) is no IANA time zone, such as Europe/Oslo")
        }
        let source = try masterKey.map { try MasterKeySource(argument: $0) }
        let wasThere = files.fileExists(atPath: server.path)
        do { try await make(server, source) } catch {
            // What is there already would be in the way of the next attempt.
            for name in (try? files.contentsOfDirectory(atPath: server.path)) ?? [] {
                try? files.removeItem(atPath: server.path + "/" + name)
            }
            if !wasThere { try? files.removeItem(atPath: server.path) }
            throw error
        }
        print(
            """
            Made \(server.path)
              hilum.yaml     configuration, with comments
              site.yaml      the site profile: identifier systems, time zone, code maps
              keys/          master, token and authority keys (mode 0600): back them up, they are nowhere else
              tls/ca.pem     give this certificate to those who connect
            Next: hilum client register \(folder) --name NAME --jwks FILE --scope "system/*.rs"
                  hilum peer add \(folder) --ae AETITLE --may echo,store,worklist
                  hilum user add \(folder) NAME --role operator --display-name "First Last"
                  hilum serve \(folder)
            """)
    }

    private func make(_ server: ServerFolder, _ masterKey: MasterKeySource?) async throws {
        let files = FileManager.default
        for path in [server.path, server.keysFolder, server.tlsFolder, server.runFolder] {
            try files.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        let authority = try LocalAuthority.make(hostNames: hostNames, now: Date())
        if masterKey == nil { try MasterKey.createFile(server.masterKeyFile) }
        try ServerFolder.writeSecret(
            Array(try PrivateKey(.p256).pem.utf8), to: server.tokenKeyFile)
        try ServerFolder.writeSecret(Array(try IdentityKey.newPEM().utf8), to: server.identityKeyFile)
        try AuditKey.make(server)
        try ServerFolder.writeSecret(Array(authority.authorityKey.utf8), to: server.authorityKeyFile)
        try ServerFolder.writeSecret(Array(authority.serverKey.utf8), to: server.serverKeyFile)
        try authority.authorityCertificate.write(
            toFile: server.authorityCertificateFile, atomically: true, encoding: .utf8)
        try authority.serverCertificate.write(toFile: server.serverCertificateFile, atomically: true, encoding: .utf8)
        try DefaultFiles.configuration(
            httpPort: httpPort, dimsePort: dimsePort, mllpPort: mllpPort, postgres: postgres,
            isEncrypted: !noEncryption, encryptsBodies: encryptBodies, masterKey: masterKey
        ).write(toFile: server.configurationFile, atomically: true, encoding: .utf8)
        try DefaultFiles.siteProfile(timeZone: timeZone ?? TimeZone.current.identifier)
            .write(toFile: server.path + "/site.yaml", atomically: true, encoding: .utf8)
        let configuration = try ServerConfiguration.load(from: server)
        try StoreKeys.make(configuration, server)
        let store = try await StoreComposition.open(configuration, folder: server, isServer: true)
        do { try await beginAudit(store, server) } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    /// The first row of the audit trail and the first checkpoint: what is removed before the server's first start is
    /// missed, too.
    private func beginAudit(_ store: RelationalStore, _ server: ServerFolder) async throws {
        try await store.record(
            AuditRecord(
                category: .application, interaction: "init", action: .execute, outcome: .success,
                access: .operatorOfThisMachine(requestID: "hilum init"), detail: HilumVersion.text))
        let tip = try await store.database.read { try AuditChain.tip($0) }
        let checkpoint = try AuditCheckpoint(
            .head, at: tip, time: SystemClock().now().microseconds, key: try AuditKey.loadOrMake(server))
        try AuditCheckpoints(server).append(checkpoint)
    }
}

/// The text files of a new server folder.
enum DefaultFiles {
    static func configuration(
        httpPort: Int, dimsePort: Int, mllpPort: Int, postgres: String?, isEncrypted: Bool,
        encryptsBodies: Bool = false, masterKey: MasterKeySource? = nil
    ) -> String {
        let database =
            if let postgres {
                "  database: postgres\n  postgres: \"\(postgres.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
            } else {
                "  database: sqlite          # or postgres, with a libpq connection string under `postgres:`"
            }
        return """
            # Hilum's configuration. What is left out has the default shown here; the page Configuration of the
            # documentation has every key.
            # Nothing listens beyond this machine until a host below says so.

            # `http`, `dimse` and `mllp` make one door each; `doors`, at the end, makes as many as there are to be.

            http:                       # FHIR, DICOMweb, SMART
              host: 127.0.0.1
              port: \(httpPort)
              # public-url: https://fhir.hospital.example   # what clients see, behind a proxy

            dimse:                      # DICOM
              host: 127.0.0.1
              port: \(dimsePort)
              ae-title: HILUM
              accept-unknown-peers: false   # true: any AE title may associate
              # worklist-stations: { CT: [CT1, CT2], MR: [MR1] }   # who does the steps that name no station

            mllp:                       # HL7 v2
              host: 127.0.0.1
              port: \(mllpPort)
              accept-unknown-peers: false   # true: any MSH-3/MSH-4 may send

            store:
            \(database)
              blobs: blobs              # where DICOM objects and export files lie
              encryption: \(isEncrypted ? "aes-256-gcm" : "none       ")   # none only on a disk that is encrypted itself
              \(encryptsBodies ? "encrypt-bodies: true " : "# encrypt-bodies: false")   # true: in the database, too; then `hilum key seal`
              \(masterKey.map { "master-key: \($0.yaml)" } ?? "# master-key: keys/master.key")
              #                         # or { credential: NAME } of systemd, or { command: [/path/program, word] } that
              #                         # prints it; with wraps: true that wraps and unwraps by a device's (KMS, PKCS#11)
              # previous-master-keys: []          # the one of before, until `hilum key rotate` is through
              # plain-blobs: refuse     # accept: encryption was switched on when there were objects already
              # set-aside-days: 30      # objects that no row names are kept that long before they are removed

            publishing:                 # when a study that still grows is shown as an ImagingStudy
              quiet-seconds: 3          # without a new instance
              longest-seconds: 60       # while instances keep coming

            audit:
              checkpoint-minutes: 15    # how often the trail's end is signed, in audit/checkpoints and in the log
              # feeds:                  # audit repositories that get every row: hilum audit feed list, test
              #   - name: regional
              #     fhir: https://arr.example/fhir      # AuditEvents (IHE ITI-20)
              #     token: { url: "https://arr.example/token", client: us, scope: system/AuditEvent.c, key: keys/arr.key }
              #     from: beginning     # or now
              #     alarm-minutes: 60
              #   - name: siem
              #     syslog: siem.example:6514           # audit messages by TLS (PS3.15 A.5)
              #     certificate: tls/server.pem         # shown to the repository; left out: none
              #     key: tls/server.key
              #     authorities: tls/site-ca.pem        # who issued the repository's certificate

            # retention:                # what is not kept for ever; 0 keeps. Other images and the audit trail always stay.
            #   message-days: 0         # the text of HL7 messages
            #   acknowledgment-days: 0  # the rest of them: a message sent again later is carried out again
            #   history-days: 0         # versions of resources that were replaced
            #   rejected-days: 0        # images that a person has rejected: until then it can be undone
            #   performed-step-days: 0  # what modalities told of their work (MPPS), after its end
            #   workitem-days: 0        # workitems (UPS), after their end, unless a subscriber has a lock on them
            #   export-hours: 24        # files of finished exports, and what became of imports
            #   outbox-days: 7          # what was delivered to other systems or discarded

            # imports:                  # bulk imports; where files come from is up to `outbound`
            #   sources:                # servers whose files want a token: the base of their URLs, and who this server is
            #     - { base: "https://ehr.example/fhir", url: "https://ehr.example/oauth/token", client: hilum,
            #         scope: system/*.rs, key: keys/imports.pem, key-id: k1 }

            # archive-cache:            # copies of studies that were fetched from archives; 0 sets no limit
            #   bytes: 0                # of all together: those that were used longest ago leave first
            #   days: 0                 # since the last use
            #   pinned: []              # Study Instance UIDs of those that stay
            # archives:                 # by AE title; `hilum peer add --archive` makes a peer one
            #   PACS: { poll: { days: 7, minutes: 15 } }    # asks at intervals for studies from these last days
            # identities:               # who the user is at an AE that is called; files are of mode 0600
            #   PACS: { user: hilum, passcode-file: keys/pacs.passcode }    # or jwt-file, kerberos-file, saml-file, token
            # prefetch:                 # priors that are fetched from archives before anybody asks: hilum prefetch test
            #   - name: ct chest        # told with each fetch at /ops/fetches
            #     on: order             # or admission, arrival; a list of them
            #     modality: CT          # of the order, or of the study that came; texts take * and ?, or are a list
            #     body-part: "CHEST*"
            #     description: "*thorax*"
            #     specialty: CAR        # the hospital service of the visit (PV1-10), of orders and admissions alone
            #     priors: { modality: [CT, CR, DX], description: "*", days: 1825, number: 3 }
            #     from: [PACS]          # left out: all archives

            # outbound:                 # what may be fetched from a URL, beside the public internet by https
            #   allow-networks: [10.20.0.0/16]      # of the site
            #   authorities: tls/site-ca.pem        # trusted beside the system's
            # subscriptions:            # whom clients may have told of changes (FHIR Subscription, rest-hook)
            #   hosts: [hook.example, "*.partner.example"]   # without it every host that outbound lets through
            #   per-client: 100
            # cors: { origins: ["https://viewer.example"] }   # web pages that may call the APIs
            # viewer: { frame-origins: ["https://ehr.example"] }   # who may hold /viewer in a frame; serve: false for none
            #                                                          # ask-consent: true has it ask as other apps do
            # consent: { remembered-days: 90 }        # how long who ticks so is not asked again; 0: each time
            # access: { cleared: { reader: [R] }, emergency-hours: 4 }   # who sees what of the people who work here
            # sign-in:                  # OpenID providers at which people may sign in instead of here
            #   providers:
            #     - name: hospital            # answers come to /account/sign-in/outside/hospital/answer
            #       title: your hospital account
            #       issuer: https://login.hospital.example/realms/staff
            #       client: hilum
            #       secret: keys/hospital.secret          # or key: (PEM) and key-id:
            #       account-claim: preferred_username     # names an account here; left out: hilum user identity
            #       make-accounts: true                   # for whom there is none, by the claims:
            #       role-claim: groups
            #       roles: [{ value: doctors, role: referrer }]
            #       fhir-user-claim: fhirUser
            #       second-factor: { amr: [mfa, otp] }    # stands for one here
            # authorization-servers:    # whose tokens are taken at FHIR and DICOMweb beside our own
            #   - issuer: https://ehr.example/auth
            #     scopes: "patient/*.rs user/*.rs"        # the most that they give
            #     # introspection: { client: hilum, secret: keys/ehr.secret }   # in place of its published keys
            #     #                # needs-audience: false, where its answers do not say whom a token is for (aud)
            #     # patient: { system: "urn:hilum:site:mrn" }                   # what its claim `patient` holds
            # associated-endpoints: [{ url: "https://images.example/fhir", capabilities: [smart-imaging-access] }]
            # registration: { dynamic: true }   # applications may ask; an operator approves each at /account/clients
            #   # initial-token: keys/registration.token    # without which nobody may ask
            # cds-hooks:                # an EHR that opens a patient is told of the images, with a link to the viewer
            #   callers: [{ issuer: "https://ehr.example", client: ehr }]   # the iss of its tokens, and as which it is registered
            # fhir: { narrative: refuse }             # keep: narratives with scripts are stored as they are sent
            #                                         # conditional-delete: multiple takes all that match, not one alone

            # limits:                   # what each door takes at most
            \(ServerLimits.commentary)

            # doors:                    # in place of the short forms above, which take the same keys
            #   - protocol: http        # or dimse, mllp
            #     host: 10.0.0.5
            #     port: 443
            #     certificate: tls/hospital.pem     # with its chain; beside it the key, mode 0600. Read again when
            #     key: tls/hospital.key             # they change or at SIGHUP. Left out: those of tls/
            #     # tls-minimum: 1.3                # 1.2
            #     # suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]   # of TLS 1.2
            #   - protocol: http        # behind a proxy that speaks TLS
            #     port: 8080
            #     tls: off              # beyond this machine: clear-text: accepted and the networks of the proxies
            #     public-url: https://fhir.hospital.example
            #     trusted-proxies: [127.0.0.1]      # whose word counts on where a request came from
            #     proxy-header: x-forwarded-for     # or forwarded: the one that they write
            #   - protocol: dimse
            #     host: 10.0.0.5
            #     port: 104
            #     tls: off              # or optional: both on one port; required
            #     clear-text: accepted  # that patient data can be read on the network
            #     networks: [10.20.0.0/16]          # from which there may be connections
            #     peer-binding: address             # name, address, certificate: how a peer must be bound
            #     # services: what may be asked of it; archives: those behind it alone; left out: all
            #     ae-titles: [HILUM, { title: HILUM_WL, services: [echo, worklist], archives: [] }]
            #   - protocol: mllp
            #     port: 2575
            #     client-authorities: tls/site-ca.pem   # who issues the certificates of peers; left out: tls/ca.pem
            #     client-certificates: required         # none, optional

            # routing:                  # which images are sent to which other systems; `hilum route test` says what it does
            #   destinations:
            #     - name: old-pacs
            #       peer: OLDPACS             # an AE of `hilum peer` that offers store
            #       # commitment: true        # it offers commit, too: it is asked to keep what it was sent
            #       # report-hours: 6         # until its report is overdue
            #       windows: [{ hours: "19:00-07:00", bytes-per-second: 2000000 }]   # else nothing is sent
            #       coerce: [{ when: { Modality: CT }, set: { InstitutionName: North }, remove: [PatientComments] }]
            #     - name: cloud
            #       stow: https://pacs.example/dicomweb/studies
            #       token: { url: "https://pacs.example/oauth/token", client: us, scope: system/*.cruds, key: keys/cloud.key }
            #       de-identify: { options: [retain-modified-dates], pseudonyms: research }
            #   rules:                  # from, called (an AE title of ours), modality, description, attributes, order; left out: any
            #     - { name: ct, from: [CT*], modality: CT, description: "*thorax*", order: { priority: stat }, to: [cloud] }
            #     - { to: old-pacs }

            site-profile: site.yaml
            log-level: info
            """ + "\n"
    }

    static func siteProfile(timeZone: String) -> String {
        """
        # The site profile: what this hospital's identifiers, codes and times mean.

        time_zone: \(timeZone)        # for times that arrive without a zone

        identifiers:
          # The issuers. `namespace` is the name on HL7 and DICOM wires (CX.4.1, IssuerOfPatientID); `oid` may stand
          # beside or instead of `system`.
          authorities:
            - system: urn:hilum:site:mrn
              namespace: HOSP
            - system: urn:hilum:site:accession
              namespace: RIS
          patient_default: urn:hilum:site:mrn           # for a patient id without an issuer
          accession_default: urn:hilum:site:accession   # for an accession number without an issuer

        # accepted_processing_ids: [P]     # MSH-11; T and D are refused
        # transient_as: AE                 # or AR: how a passing failure is answered
        # modalities: { XR: DX }           # site codes in OBR-24 to DICOM modalities
        # peers:                           # what is otherwise with one sender, by MSH-3|MSH-4
        #   OLDRIS|EAST: { time_zone: Europe/London, accepted_processing_ids: [P, T], modalities: { A: MR } }
        """ + "\n"
    }
}
