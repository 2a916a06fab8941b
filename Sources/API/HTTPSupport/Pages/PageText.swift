/// What pages say: a key for each text. The texts themselves are in ``PageLanguage``.
package enum PageText: String, Sendable, Hashable, CaseIterable {
    // Everywhere.
    case skipToContent, navigation, notFoundTitle, refusedTitle, tryAgainTitle, requestIDLabel, back, goOn

    // Signing in.
    case signInTitle, nameLabel, passwordLabel, signInButton, signInFailed, haveResetCode, formTooOld, tooOften
    case secondFactorTitle, codeLabel, codeHint, codeFailed, checkButton, signedIn, signedOutTitle, signedOut

    // Signing in elsewhere.
    case signInWith, outsideGoOn, outsideFailed, outsideDown, outsideRefused, outsideTooOld, outsideUnknown

    // Choosing a password.
    case resetTitle, resetCodeLabel, newPasswordLabel, repeatPasswordLabel, passwordHint, choosePasswordButton
    case resetFailed, passwordChosen, passwordsDiffer, passwordTooShort, passwordTooLong, passwordTooSimple

    // Setting up the second factor.
    case enrolTitle, enrolRequired, enrolSteps, enrolSecretLabel, enrolURILabel, enrolSymbol, enrolButton
    case recoveryTitle, recoveryExplained, recoveryKept

    // The account.
    case accountTitle, roleLabel, roleReferrer, roleReader, roleAdministrator, rolePatient, roleOperator, recordLabel,
        none
    case changePasswordTitle, oldPasswordLabel, changePasswordButton, passwordChanged, passwordWrong
    case secondFactorOn, secondFactorOff, recoveryLeft, enrolAgain
    case sessionsTitle, sessionThis, sessionBegan, sessionSeen, sessionFrom, sessionBrowser, endButton, actionLabel
    case signOutButton, signInAgain, signInTooOld, passwordNone

    // Passkeys.
    case passkeysTitle, passkeysLead, passkeysNone, passkeysNotHere, passkeyName, passkeyAdded, passkeyLastUsed
    case passkeyElsewhere, passkeyAddTitle, passkeyAddButton, passkeyNameHint, passkeyDefaultName, removeButton
    case passkeyNotAdded, passkeyTaken, passkeysTooMany, passkeyLastFactor, passkeyDone, passkeyRemoved, passkeyInstead
    case passkeyRemoveTitle
    case passkeySignIn, passkeySignInLead, passkeyUseButton, passkeySecondFactor, passkeyFailed, passkeyProblem
    case passkeyNeedsScript, passkeyOtherWay, neverUsed, passkeysManage

    // Apps that may act for a person.
    case accessTitle, accessLead, accessNone, accessWithdraw, accessSince, accessRemembered, accessMay, accessWithdrawn
    case appLabel
    // Emergencies.
    case emergencyTitle, emergencyExplained, emergencyNumberLabel, emergencySystemLabel, emergencyReasonLabel
    case emergencyButton, emergencyUnknown, emergencyAmbiguous, emergencyReasonMissing, emergencyOpen
    case emergencyPatientLabel, emergencyEndsLabel, emergencyGivenLabel, emergenciesTitle, stateExpired

    // For operators.
    case usersTitle, clientsTitle, stateLabel, stateActive, stateLocked, stateRevoked, lockButton, unlockButton
    case resetButton, endSessionsButton, revokeButton, secondFactorLabel, yes, no, nextPage, resetCodeTitle
    case resetCodeExplained, nobodyListed, scopesLabel, ownAccount

    // For operators: apps that wait.
    case waitingTitle, waitingOne, waitingSince, waitingUntil, waitingScopes, waitingRedirects, waitingReason
    case waitingNoScope, waitingNoReason, waitingPublic, waitingSecret, waitingKeys, waitingStatement, waitingUnverified
    case approveButton, refuseButton

    // Operations: what lists have in common.
    case operationsTitle, filterButton, anyChoice, sinceLabel, untilLabel, olderPage, tooMany, noneFound, jsonBeside
    case jsonOpen
    case whyLabel, countLabel, timeLabel, kindLabel, patientNumberLabel, accessionLabel, notKnown, notOperator

    // Operations: the overview.
    case healthTitle, checkLabel, nextStepLabel, checkWorks, checkFails, checkIsLimited, isDraining, adviceNone
    case adviceDatabase, adviceBlobs, adviceBlobsFolder, adviceDiskSpace, adviceOutbox, adviceListeners, adviceOther
    case doorsTitle, doorLabel, addressLabel, tlsLabel, certificateLabel, certificateEnded, certificateDays
    case certificateSoon, certificateRefused, attentionTitle, attentionParked, attentionOverdue, attentionQuarantine
    case attentionMessages, attentionFetches, attentionSteps, attentionConflicts
    case attentionFeeds, adviceFeeds

    // Operations: queues.
    case queuesTitle, destinationsTitle, deliveriesTitle, destinationLabel, oldestLabel, numberLabel, attemptsLabel
    case putInLabel, nextAttemptLabel, endedLabel, eventLabel, replayButton, discardButton, replayAllButton
    case discardAllButton, discardAllSure, nothingQueued

    // Operations: messages.
    case messagesTitle, messageTitle, controlIDLabel, senderLabel, typeLabel, receivedLabel, noteLabel, bytesLabel
    case peerLabel, valuesTitle, placeLabel, targetsLabel, outcomeLabel, messageRaw, noCoverage, valuesOmitted

    // Operations: the quarantine.
    case quarantineTitle, reasonLabel, modalityLabel, instancesLabel, patientNameLabel, birthDateLabel, sexLabel
    case studyDateLabel, studyUIDLabel, seriesUIDLabel, descriptionLabel, stationLabel, givenToLabel, decisionLabel
    case contradictionLabel, asidesTitle, instanceUIDLabel, decideTitle, decideExplained, reasonAsked, subjectLabel
    case wholeStudy, acceptButton, rejectButton, undoButton, relinkButton, relinkTitle, orderTarget, patientTarget
    case nothingQuarantined, nothingOfStudy, seriesTitle, relinkEither
    case reasonUnknownPatient, reasonMissingPatientID, reasonUnknownAccession, reasonPatientMismatch
    case reasonStudyOrderMismatch, reasonAmbiguousAccession, reasonAmbiguousPatient, reasonInconsistentSeries
    case reasonRejected

    // Operations: fetches, steps that wait, conflicts, exports, peers, storage.
    case fetchesTitle, archiveLabel, askedLabel, expectedLabel, nothingFetched
    case stepsTitle, missingLabel, stepLabel, procedureLabel, startLabel, nothingWaits
    case conflictsTitle, differenceLabel, nothingInConflict
    case commitmentsTitle, notKeptLabel, reportDueLabel, reportedLabel, transactionLabel, nothingCommitted
    case exportsTitle, clientLabel, typesLabel, progressLabel, filesLabel, startedLabel, nothingExported
    case importsTitle, storedLabel, refusedLabel, nothingImported
    case peersTitle, mayLabel, offersLabel, certificateBoundLabel, auditRowsLabel, noPeers, inClearText
    case contactLabel, notOfLate
    case authoritiesTitle, attentionAuthorities, namespaceLabel, universalIDLabel, universalIDTypeLabel, keptUnderLabel
    case noUnknownAuthorities, authoritiesHint
    case storageTitle, storageFree, storageRefuses, storageAccepts, storageIntake, storageCustody, storageOwn
    case storageNotOwn, storageDatabase, storageDatabaseFree, storageLog, storageSetAside, storageUnnamed, storageHint

    // Operations: the audit trail.
    case auditTitle, auditWho, auditWhat, auditAbout, auditPatient, auditFrom, auditQuery, auditExplained
    case auditUnopened
    case auditSearchOn, auditNothing, auditCaller, outcomeSuccess, outcomeRefused, outcomeFailed, outcomeDown

    // Resources as pages.
    case resourcesTitle, resourceLabel, versionLabel, updatedLabel, currentVersion, notCurrent
    case elementsTitle, narrativeTitle, narrativeHint, narrativeFrame, cutShort, textCut, dataLeftOut
    case jsonTitle, jsonCut
    case referencesInTitle, referencesInNone, referencesInLabel, referencesUncounted
    case historyTitle, historyLabel, historyMethod, historyDeleted, historyCompare, historyNone
    case differencesTitle, differencesOf, differencePath, differenceBefore, differenceAfter, differencesNone
    case differencesMore, nothingThere
    case searchFields, searchFieldHint, searchButton, searchFound, searchTotal, searchNothing,
        searchIncluded
    case searchNext, searchFirst, searchNoticesTitle, sortLabel
    case typesTitle, typesOther, typesNone, recentTitle, startLead
    case outcomeTitle, outcomeIssue, nextTitle, nextMalformed, nextForbidden, nextNotFound, nextGone, nextLater
    case nextUnsupported, nextInternal
    case capabilityTitle, capabilityLead, capabilityInteractions, capabilityParameters, capabilitySoftware

    // The contract.
    case contractTitle, contractLead, contractFiles, contractFile, contractOperations, contractParameters, contractBody
    case contractAnswers, contractAccess, contractOpen, contractToken, contractScopes, contractMethod, contractPath
    case contractPlace, contractRequired, contractMedia, contractSchemas, contractDeprecated, contractOther
}

/// A language of pages, with all its texts. Another one is another table, and one entry of ``all``.
package struct PageLanguage: Sendable {
    /// BCP 47.
    package let tag: String
    private let texts: [PageText: String]

    init(tag: String, texts: [PageText: String]) {
        self.tag = tag
        self.texts = texts
    }

    /// A text; that of English where the language has none.
    package subscript(_ key: PageText) -> String { texts[key] ?? Self.english.texts[key] ?? key.rawValue }

    /// The same, as it stands within a page.
    package func html(_ key: PageText) -> HTML { .text(self[key]) }

    /// Keys without a text.
    var missing: [PageText] { PageText.allCases.filter { texts[$0] == nil } }

    /// Those that there are, the default first.
    package static let all: [PageLanguage] = [english]

    /// The one that a browser likes best. RFC 9110 §12.5.4; elements are matched by their first subtag (RFC 4647 §3.4).
    package static func best(of acceptLanguage: String?, among languages: [PageLanguage] = all) -> PageLanguage {
        var best: (language: PageLanguage, weight: Int)?
        for element in (acceptLanguage ?? "").split(separator: ",").prefix(32) {
            let parts = element.split(separator: ";").map { $0.filter { $0 != " " } }
            let subtag = parts.first?.split(separator: "-").first?.lowercased()
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
            let weight = quality.map { AcceptHeader.Range.thousandths(String($0)) ?? 0 } ?? 1000
            guard let language = languages.first(where: { $0.tag == subtag }), weight > best?.weight ?? 0 else {
                continue
            }
            best = (language, weight)
        }
        return best?.language ?? languages.first ?? english
    }
}
