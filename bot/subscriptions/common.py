"""Short words that are common in a language: an acronym of the same letters is told from them by its capitals alone."""

from __future__ import annotations

_WORDS = {
    "en": "a i am an as at be by do go he if in is it me my no of oh ok on or so to up us we all and any are ask bad bag ban big bit"
    " box boy but buy can car cat cut day did dog due eat end far few fit for fun get god got guy had has her him his hit hot how ill"
    " its job key kid law lay led let lie lot low mad man map may men met mix mom net new nor not now odd off old one our out own pay"
    " pet put ran red run sad sat saw say sea see set she sit six son sun tap tax tea ten the tie tip too top toy try two use van war"
    " was way who why win won yes yet you able aids back been both came care come does done down each even ever from full game gave"
    " give goes good half have head hear help here hold home hope into just keep kind know last less life like line live long look"
    " lost love made make many mean more most move much must near need next only open over part past plan play real rest safe said"
    " same save seem send show side some soon stay step stop such sure take talk team tell than that them then they this time took"
    " turn unit upon very wait walk want week well went were what when will wish with word work year your about after again could"
    " every first found great house other place right small start still their there these thing think those three under until water"
    " where which while white whole world would write mist cop cops ace act age aim air art core pact smart start star cap spam ice pin ram fast safe hope seal stem swift trips arm pen zoo tan camp cash dare grad laser moss nice peace path pole rice"
    " rose sharp spar tide trace wipe gap bat ant apt arc ash ate axe bar bay bee beg bet bid bin bow bra bud bug bus cab cop cow cry cue cup dad dam"
    " den dip dot dry duo ear egg ego elf era eve fan fat fee fig fin fix fly fog fox fur gel gem gig gum gun gut gym ham hen hip hut ink jam jar jaw"
    " jet joy jug lab lap lid lip log mat mid mob mud mug nap nut oak oil owe owl pan pea pig pit pod pop pot pub pup rag rat raw rib rid rim rip rob"
    " rod rot row rub rug rum sin sip ski sky spa spy sum tab tag tar tip ton tow tub tug urn vet via vow wax web wet wig wit woe zip beam band bank"
    " base bell best bill bird blue boat body bomb bone book born boss burn card case cell chat city club coal coat code cold corn cost crew data date"
    " dead deal deep door drop drug dust duty earn east easy edge fact fail fair fall farm fear feed feel film fire firm fish flag flat flow food foot"
    " form fort four free fuel fund gain gate gift girl goal gold golf grow hall hand hang hard harm hate hero high hill hire host hour huge hunt hurt"
    " idea iron item jail join joke jump jury kick kill king lack lady lake land lane late lead leaf left lend lift list load loan lock loss loud luck"
    " mail main male mark mass meal meat mile milk mind mine miss mode mood moon myth nail name navy news note okay once page pain pair palm pass pick"
    " pipe plot plus poem poet poll pool poor port post pray pull pure push race rail rain rank rare rate read rely rent rest rich ride ring riot rise"
    " risk road rock role roll roof room root rule rush sail salt sand seat seed seek self sell ship shoe shop shot shut sick sign sink site size skin"
    " slow snow soft soil sort soul spot spin star stem suit sure tail tall tank tape task tear term test text thin thus till tiny tone tool tour town"
    " trap tree trip true type ugly unit user vast vote wage wake wall warm wash wave weak wear west wife wild wind wine wing wire wise wood yard zone"
    " un al el la le de da di del van von bin ben abu ibn mr mrs dr st jr sr id april june july march"
    " sam kim lee don ron ian pat sue rob jack nick tim tom dan jim joe bob ted max leo eva ana amy ann ada ivy hans carl karl paul mary anna john mike",
    "fr": "a au aux ce ces dans de des du elle en est et eu il ils je la le les leur lui ma mais me mes mon ne ni nos nous on ont or ou"
    " par pas peu plus pour qui que sa se ses si son sont sur ta te tes ton tu un une vers vos vous y ans bas car cas dit eau fait"
    " fin font ici lit mal mer mis nom non oui pan pays peut pis rue sans sera sous tel tout tous ville",
    "de": "ab als am an auf aus bei bin bis da das dem den der des die dir du ein er es fur hat ich ihm ihn ihr im in ist ja je man mich"
    " mir mit nach nie nun nur ob oft rot sei sich sie sind so tag tat tor tun um und uns vom von vor war was weg wem wen wer wie wir wo zu"
    " zum zur aber auch dann dass denn doch eine einer hier kann mehr noch nein oder sehr soll uber wird wohl",
    "es": "a al asi aun como con cual de del dia dos el ella en era es esa ese eso esta este fin fue ha han hay hoy la las le les lo los mal"
    " mas me mes mi mis muy ni no nos o oir os para pero por que se sea ser si sin son su sus tal tan te ti tu tus un una uno va van vez y ya yo onu",
    "it": "a ad ai al alla anni c che chi ci come con cui da dai dal dalla dei del di due e ed era fa fu gli ha hai ho i il in io la le lei li lo"
    " lui ma me mi mia mio ne nei nel no noi non o ora per piu poi qua qui sa se si sia sono sta su sua sul suo te ti tra tre tu un una uno va vi",
    "pt": "a ao aos as ate com como da das de do dos e ela ele em era es essa esse esta este eu foi ha ja la lhe mais mas me meu na nao nas nem no"
    " nos o os ou para pela pelo por que quem se sem ser seu so sua tal tem ter tu um uma vai ver vez",
    "nl": "aan al als bij daar dan dat de den der die dit doe door dus een en er ge had heb hem het hier hij hoe hun ik in is ja je kan maar me men"
    " met mij na naar niet nog nu of om ons ook op over te tot toe uit van veel voor wat we wel werd wie zal ze zei zich zij zijn zo zou",
    "sv": "alla an att av da de dem den det din du efter eller en er ett for fran ha han har hon i ifran in inte jag ju kan man med men mig min mot"
    " nar nu och om oss pa sa ser sig sin ska som till under upp ut vad var vi vid",
    "pl": "a ale am bez bo by byl co czy dla do go i ich im iz ja jak je jej jest juz ku ma mi my na nad nas nie nim niz no o od on ona oni ono oraz"
    " po pod sa se si sie ta tak tam te tej ten to tu ty tym u w we za ze",
    "cs": "a aby ale ani az bez by byl co do i ja jak je jeho jen ji jsem ke kdo ku ma me mi mu my na nad ne nebo ni od on ona pak po pod pro"
    " s se si sta ta tak tam te ten to tu ty u uz v ve vy z za ze",
    "tr": "a ad ah al an ant at az ben bin bir biz bu cok da de dis diye en ev gibi hem hep her ic ile ise ki kim mi mu nasil ne o on oysa sen siz su"
    " ta tek ya ve ver var yok yan yil",
    "id": "ada agar akan atas bagi bila bisa dan dari di ia ini itu jadi jika kan ke kita lagi lain mana mau oleh pada saat saja sana tak tapi tua ya yang",
    "ro": "a ai al am ar are as au ca care ce cel cu da dar de din ea ei el era eu fi fie i iar ii il in isi la le lor lui ma mai mi ne ne ni nu"
    " o pe pentru sa sau se si sub sunt tot un unei unui va",
    "ru": "а без бы был в вам вас во вот все вы да для до его ее если есть еще же за и из или им их к как ко кто ли мне мы на над нам нас не него"
    " нее нет ни них но ну о об он она они оно от по под при про с сам себе со так там те тем то тот ту ты у уже что эта эти это я мид мир год дом",
    "uk": "а але без бо був в вам вас ви від він вона вони все да для до же за з зі із і й його її їх к как коли ли ми на над нам нас не ні но"
    " о об от по при про с та так там те то тут ти у усе це цей цю що я як",
    "el": "αν απο αυτο για δε δεν ειναι εκ εν ενα η θα και κι μας με μη μια να ο οι οπως οταν οτι πως που σας σε στη στο τα τη της τι το του των ως",
}  # fmt: skip
_COMMON = {language: frozenset(text.split()) for language, text in _WORDS.items()}
_NONE: frozenset[str] = frozenset()


def is_common(word: str, language: str) -> bool:
    """Whether the folded word is an everyday word of the language; of English where the language is not known."""
    return word in _COMMON.get(language or "en", _NONE)
