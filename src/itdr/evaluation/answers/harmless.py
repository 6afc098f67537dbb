"""Words that may stand around an answer without changing what it says.

A list of what is harmless and not of what is not: a word that nobody thought of makes an answer
unreadable, never wrong.
"""

import re
from itertools import pairwise

_HARMLESS = frozenset(
    re.findall(
        r"\w+",
        """
        a an the but this that these it its s i ill id im my we our me us d ll re
        he she him her they theyll theyd their them his one who which
        user users viewer customer reader player person listener
        will would should might may could can is are am be was have
        to on of for from as and or so then therefore thus hence in at with by
        here now just also again up among given out next best top final overall
        chosen recommended predicted selected suitable appropriate relevant
        likely most probable possibly
        probably perhaps maybe definitely surely clearly certainly simply
        obviously about around approximately roughly somewhere solid strong easily sure good great
        right candidate option item film movie book game product article news video title show song
        anime series artist place choice pick answer prediction recommendation guess suggestion
        verdict estimate output response result ranking rating rate rated score star stars point
        points choose chooses pick picks select selects recommend recommends predict predicts
        suggest suggests believe believes think say bet go goes going give gives get gets assign
        deserve deserves turn turns move moves watch watching read reads buy buys play plays enjoy
        enjoys prefer prefers want wants love loves like match matches follow follows come comes
        remain remains continue continues leaves seems fit fits suit suits chance tier
        der die das ist ich wurde schatze geben sterne punkte
        la le el une un note serait es sera de je dirais prochain
        valoracion prevista usuario vera pelicula siguiente proximo
        """,
    )
)
_FOREIGN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+")
_FOREIGN_DOUBT = re.compile(r"[不没沒非无無未别別]|之外|平均|除了|以外|ない")
_MOST_FOREIGN = 30
_WISHES = {"will", "would", "might", "should", "d", "to", "also", "probably"}


def harmless(form: str, more: frozenset[str] = frozenset()) -> bool:
    """Say whether all words, as `titles.words` returns them, are harmless; more: others that are.

    Of languages that do not divide their words a short text counts that denies nothing.
    """
    foreign = "".join(_FOREIGN.findall(form))
    if len(foreign) > _MOST_FOREIGN or _FOREIGN_DOUBT.search(foreign):
        return False
    found = _FOREIGN.sub(" ", form).split()
    wished = all(one in _WISHES for one, other in pairwise(["", *found]) if other == "like")
    return wished and all(word in _HARMLESS or word in more for word in found)
