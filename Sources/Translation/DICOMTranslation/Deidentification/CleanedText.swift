/// Descriptive text without what may identify: of each value those words stay that are known to say what was examined
/// and how. Everything else goes, names and numbers included: a number may be a date, an age or a record number. PS3.15 §E.3.5.
struct CleanedText: Sendable {
    /// Words that stay, in lower case.
    private let kept: Set<String>

    /// - Parameter identifying: Words of the object's own names and numbers. They go even where they are words that say
    ///   what was examined, as with a patient named Foot.
    init(siteWords: Set<String>, identifying: Set<String>) {
        kept = Self.words.union(siteWords.map { $0.lowercased() }).subtracting(identifying)
    }

    /// The words that stay, parted by single spaces; empty when none does.
    func text(_ text: String) -> String {
        Self.parts(text).filter { kept.contains($0.lowercased()) }.joined(separator: " ")
    }

    /// The runs of letters and digits of a text.
    static func parts(_ text: String) -> [String] {
        text.split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    private static let words = Set(
        """
        2d 3d 4d abdomen abdominal acquisition adrenal and angio angiography angle ankle anterior aorta aortic
        ap arm arterial artery atrial average axial axilla bilateral biopsy bladder body bone both bowel brain
        breast bronchial calcaneus cardiac carotid cavity cerebral cervical chest child cine clavicle clip
        coccyx colon color comparison cone contrast cor coronal coronary cr cranial cranium ct cta decubitus
        deep delay delayed dental diastole diffusion digital direct dlp doppler dose dwi dx dynamic early echo
        elbow enhanced epi erect exam examination expiration extension external extremity eye face facial fast
        fat femoral femur fetal fiesta film filter finger fl3d flair flexion fluoro fluoroscopy foot for forearm
        fov frontal fs fse full fundus fusion gallbladder gated gd gradient gre guided hand head heart heel
        hepatic high hip humerus image images imaging in inspiration internal intravenous inversion ir iv joint
        kernel kidney kidneys knee kub l large larynx lat late lateral left leg liver localiser localizer low
        lower lumbar lung lungs lymph mammo mammogram mammography mandible map mask max maxilla medial mg min
        mip mlo mm mpr mprage mr mra mri mrv ms multi nasal neck nm node noncontrast none normal nuclear oblique
        of off on open optic orbit orthogonal ovary pa pancreas panoramic parallel patella pd pelvic pelvis
        perfusion pet phase pituitary plain plane planning portable portal post posterior pre prior procedure
        projection prone prostate protocol proton pulmonary px qc r radiograph radius range recon reconstruction
        rectum reference reformat registration renal report rest rf rib ribs right sacrum sag sagittal scan
        scapula scout screening se sella sequence series shoulder side single sinus sinuses skull slice slices
        small soft spect spin spine spiral spleen ss standard standing static std stent sternum stir stomach
        stress study subtraction superior supine survey swi systole t1 t1w t2 t2w te temporal test thick thigh
        thin thoracic thorax thumb thyroid tibia time tissue toe tof tomo tomography topogram tr trachea
        transverse trauma tse tumor two ultrasound upper upright ureter urinary us uterus vascular vein venous
        ventricle vertebra vertebral view views viscera volume wall weighted whole window with without wrist xa
        xr xray
        """.split { $0 == " " || $0 == "\n" }.map(String.init))
}
