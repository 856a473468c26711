"""Words for emotions: as corpora of several languages write them on folders and in tables.

Data alone; `labels.py` says how a word is looked up (case and accents do not matter, so `colère`
stands for `Colere` too). Single letters mean different things in different corpora (EmoDB's A is
Angst, SAVEE's a is anger): none here.
"""

from collections.abc import Mapping

SHARED: Mapping[str, tuple[str, ...]] = {
    "anger": (
        *("angry", "ang", "angered", "hot anger", "cold anger", "rage", "fury", "furious"),
        *("wut", "wütend", "ärger", "ärgerlich", "zorn", "zornig"),
        *("wuetend", "aerger", "aergerlich"),
        *("colère", "en colère", "fâché", "énervé"),
        *("enojo", "enojado", "enfado", "enfadado", "ira", "rabia"),
        *("rabbia", "arrabbiato", "raiva", "zangado", "boosheid", "boos", "woede"),
        *("öfke", "öfkeli", "kızgın", "kızgınlık", "złość", "gniew"),
        *("злость", "гнев", "злой", "عصبانیت", "خشم", "غضب"),
        *("生气", "生氣", "愤怒", "憤怒", "发怒", "怒", "怒り", "분노", "화남"),
    ),
    "disgust": (
        *("disgusted", "dis", "disgusting"),
        *("ekel", "angeekelt", "dégoût", "dégoûté", "asco", "disgusto", "disgustato"),
        *("nojo", "walging", "afschuw", "iğrenme", "tiksinti", "wstręt", "obrzydzenie"),
        *("отвращение", "厌恶", "厭惡", "嫌悪", "혐오"),
    ),
    "fear": (
        *("fearful", "fea", "afraid", "scared", "frightened", "anxiety/fear", "fear/anxiety"),
        *("angst", "ängstlich", "aengstlich", "furcht", "peur", "apeuré", "effrayé"),
        *("miedo", "temor", "asustado", "paura", "impaurito", "medo"),
        *("korku", "korkmuş", "strach", "страх", "испуг", "ترس", "خوف"),
        *("害怕", "恐惧", "恐懼", "恐怖", "恐れ", "공포", "두려움"),
    ),
    "happiness": (
        *("happy", "hap", "joy", "joyful"),
        *("froehlich", "gluecklich"),
        *("freude", "fröhlich", "glücklich", "joie", "joyeux", "joyeuse", "heureux", "heureuse"),
        *("alegría", "alegre", "felicidad", "feliz", "gioia", "felicità", "felice"),
        *("felicidade", "blijdschap", "blij", "mutlu", "mutluluk", "radość"),
        *("радость", "счастье", "شادی", "سعادة", "فرح"),
        *("快乐", "快樂", "高兴", "高興", "开心", "開心", "喜び", "행복", "기쁨"),
    ),
    "neutral": (
        *("neu", "neutrality", "neutral state", "no emotion", "emotionless"),
        *("neutre", "neutro", "neutra", "neutrale", "neutraal", "nötr", "neutralny"),
        *("нейтральный", "нейтральная", "нейтрально", "خنثی", "محايد"),
        *("中立", "中性", "ニュートラル", "중립"),
    ),
    "sadness": (
        *("sad", "sorrow", "sorrowful"),
        *("trauer", "traurig", "traurigkeit", "tristesse", "triste", "tristeza", "tristezza"),
        *("verdriet", "verdrietig", "üzgün", "üzüntü", "smutek", "smutny"),
        *("грусть", "печаль", "грустный", "غم", "حزن"),
        *("伤心", "傷心", "悲伤", "悲傷", "难过", "難過", "悲しみ", "슬픔"),
    ),
    "surprise": (
        *("surprised", "sur", "surprising", "astonished", "astonishment"),
        # "ps" is how TESS writes pleasant surprise in its file names.
        *("ps", "pleasant surprise", "pleasant surprised", "pleasantly surprised"),
        *("ueberraschung", "ueberrascht"),
        *("überraschung", "überrascht", "surpris", "sorpresa", "sorprendido", "sorpreso"),
        *("surpresa", "surpreso", "verrassing", "verrast", "şaşkın", "şaşkınlık", "zaskoczenie"),
        *("удивление", "تعجب", "惊喜", "驚喜", "惊讶", "驚訝", "吃惊", "驚き", "놀람"),
    ),
    "calm": (
        *("calmness", "ruhig", "calme", "calma", "calmo", "tranquilo", "rustig", "sakin"),
        *("спокойствие", "平静", "平靜"),
    ),
    "boredom": (
        *("bored", "bor", "langeweile", "gelangweilt", "ennui", "aburrimiento", "aburrido"),
        *("noia", "annoiato", "tédio", "verveling", "znudzenie", "скука", "无聊", "無聊", "退屈"),
    ),
}
"""Shared word, and other words of that very meaning: adjectives, nouns, three-letter codes.

English first, then German, French, Spanish, Italian and Portuguese, Dutch, Turkish, Polish,
Russian, Persian and Arabic, Chinese, Japanese, Korean.
"""

UNSHARED: frozenset[str] = frozenset(
    (
        *("excited", "excitement", "exc", "enthusiasm", "enthusiastic", "elation", "elated"),
        *("frustrated", "frustration", "fru", "contempt", "contemptuous", "amused", "amusement"),
        *("sleepy", "sleepiness", "tired", "tiredness", "confused", "confusion"),
        *("anxious", "anxiety", "worried", "worry", "nervous", "nervousness", "panic", "stressed"),
        *("proud", "pride", "shame", "ashamed", "guilt", "guilty", "embarrassed", "embarrassment"),
        *("love", "loving", "hate", "hatred", "jealous", "jealousy", "envy", "envious"),
        *("despair", "desperate", "depressed", "depression", "grief", "lonely", "loneliness"),
        *("disappointed", "disappointment", "irritated", "irritation", "annoyed", "annoyance"),
        *("relief", "relieved", "satisfied", "satisfaction", "contentment", "serenity", "relaxed"),
        *("interest", "interested", "curious", "curiosity", "concentration", "concentrating"),
        *("sarcasm", "sarcastic", "irony", "ironic", "tenderness", "admiration", "gratitude"),
        *("sympathy", "sympathetic", "desire", "awe", "hope", "hopeful", "trust", "anticipation"),
        *("pain", "distress", "distressed", "triumph", "optimism", "pessimism"),
        *("apologetic", "assertive", "concerned", "encouraging", "confident", "pleasure"),
        *("positive", "negative", "pos", "neg"),
        *("verachtung", "ungeduld", "mépris", "desprecio", "disprezzo", "энтузиазм", "委屈"),
    )
)
"""Words for emotions, moods and attitudes that no shared word stands for."""
