"""What the authors of the detector published, in the words of messages."""

EXPECTED = (
    "the 100DOH hand and object detector of Shan et al.: faster_rcnn_1_8_132028.pth, or faster_rcnn_1_8_89999.pth"
)
HINT = (
    "its authors offer it at https://github.com/ddshan/hand_object_detector (README, models); without it take "
    "detection: {detector: mediapipe}"
)
